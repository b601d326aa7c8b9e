import { Metrics } from '@aws-lambda-powertools/metrics';
import { jest } from '@jest/globals';

/** A metric as CloudWatch would make it of what was logged. */
export type EmittedMetric = { namespace: string; metric: string; dimensions: Record<string, string> };

/** EMF: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
type Line = Record<string, string> & {
  _aws: {
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
  };
};

export const NAMESPACE = 'cdc_demo_dev';

/** The metrics that `emit` makes a function of this name log. */
export function emittedBy(service: string, emit: (metrics: Metrics) => void): EmittedMetric[] {
  const lines: Line[] = [];
  // In development mode metrics go through the console, where they can be read; they would be off, though.
  process.env['POWERTOOLS_DEV'] = 'true';
  process.env['POWERTOOLS_METRICS_DISABLED'] = 'false';
  const log = jest
    .spyOn(console, 'log')
    .mockImplementation((text: string) => void lines.push(JSON.parse(text)));
  try {
    const metrics = new Metrics({ namespace: NAMESPACE, serviceName: service });
    emit(metrics);
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
  } finally {
    log.mockRestore();
    delete process.env['POWERTOOLS_DEV'];
    delete process.env['POWERTOOLS_METRICS_DISABLED'];
  }
  return lines.flatMap(metricsOf);
}

function metricsOf(line: Line): EmittedMetric[] {
  return line._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics: names }) =>
    Dimensions.flatMap((keys) =>
      names.map(({ Name }) => ({
        namespace: Namespace,
        metric: Name,
        dimensions: Object.fromEntries(keys.map((key) => [key, line[key] as string])),
      })),
    ),
  );
}
