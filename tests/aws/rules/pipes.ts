import { resolve } from '../physical.ts';
import {
  dependenciesOf,
  ofType,
  type Problem,
  type Properties,
  type Rule,
  rule,
  type Template,
} from '../template.ts';

/** Records that PutRecordBatch takes: https://docs.aws.amazon.com/firehose/latest/dev/limits.html */
const FIREHOSE_BATCH = 500;
/** https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_PipeSourceManagedStreamingKafkaParameters.html */
const LONGEST_WINDOW_SECONDS = 300;

/** A pipe from Kafka as the platform needs it. The poller gives up at nothing, so what it can't deliver must not exist. */
export const pipes: Rule = rule('pipe', (template) =>
  ofType(template, 'AWS::Pipes::Pipe').flatMap(([id, pipe]) => {
    const source: Properties = pipe['SourceParameters']?.ManagedStreamingKafkaParameters ?? {};
    const found: Omit<Problem, 'where'>[] = [];
    const batch = Number(source['BatchSize'] ?? Number.NaN);
    if (!(batch >= 1 && batch <= FIREHOSE_BATCH)) {
      found.push({
        what: `BatchSize ${source['BatchSize']}: the target is not called with more than ${FIREHOSE_BATCH}`,
        remedy: `give 1 to ${FIREHOSE_BATCH}`,
      });
    }
    if (!(Number(source['MaximumBatchingWindowInSeconds'] ?? 0) <= LONGEST_WINDOW_SECONDS)) {
      found.push({
        what: `a window of ${source['MaximumBatchingWindowInSeconds']} s`,
        remedy: `give at most ${LONGEST_WINDOW_SECONDS}`,
      });
    }
    if (source['StartingPosition'] !== 'TRIM_HORIZON') {
      found.push({
        what: `starts at ${source['StartingPosition']}: what came before the pipe is never landed`,
        remedy: 'set StartingPosition to TRIM_HORIZON',
      });
    }
    if (typeof resolve(template, source['ConsumerGroupID']) !== 'string') {
      found.push({
        what: 'no consumer group of its own name: a new pipe would read everything again, and nobody finds its lag',
        remedy: 'set ConsumerGroupID',
      });
    }
    for (const part of ['Enrichment', 'Target', 'LogConfiguration']) {
      if (pipe[part] === undefined) found.push({ what: `no ${part}`, remedy: `give ${part}` });
    }
    return [...found, ...topicProblems(template, id, source)].map((problem) => ({ where: id, ...problem }));
  }),
);

/** A pipe on a topic that does not exist yet fails to start, and Connect would make the topic with its own settings. */
function topicProblems(template: Template, id: string, source: Properties): Omit<Problem, 'where'>[] {
  const name = resolve(template, source['TopicName']);
  const [topic] =
    ofType(template, 'AWS::MSK::Topic').find(([, { TopicName }]) => resolve(template, TopicName) === name) ??
    [];
  if (topic === undefined) {
    return [{ what: `there is no topic ${JSON.stringify(name)}`, remedy: 'declare it as AWS::MSK::Topic' }];
  }
  const pipe = template.Resources[id];
  const waits =
    (pipe && dependenciesOf(pipe).includes(topic)) || JSON.stringify(source).includes(`"${topic}"`);
  return waits ? [] : [{ what: `does not wait for ${topic}`, remedy: `add it to DependsOn` }];
}

/** A delivery stream writes what bronze reads: lines, gzipped, under the prefix of its table. */
export const streams: Rule = rule('delivery-stream', (template) =>
  ofType(template, 'AWS::KinesisFirehose::DeliveryStream').flatMap(([id, stream]) => {
    const target: Properties = stream['ExtendedS3DestinationConfiguration'] ?? {};
    const processors: Properties[] = target['ProcessingConfiguration']?.Processors ?? [];
    const delimits = processors.some(({ Type }) => Type === 'AppendDelimiterToRecord');
    const prefix = String(resolve(template, target['Prefix']));
    const found: Omit<Problem, 'where'>[] = [];
    if (!delimits) found.push({ what: 'packs are not put on lines', remedy: 'add AppendDelimiterToRecord' });
    if (target['CompressionFormat'] !== 'GZIP') {
      found.push({
        what: `compression ${target['CompressionFormat']}`,
        remedy: 'set CompressionFormat to GZIP',
      });
    }
    if (!/^landing\/[^/]+\/!\{timestamp:yyyy\/MM\/dd\/HH\}\/$/.test(prefix)) {
      found.push({
        what: `prefix ${prefix}`,
        remedy: 'write landing/<table id>/!{timestamp:yyyy/MM/dd/HH}/',
      });
    }
    if (target['CloudWatchLoggingOptions']?.Enabled !== true) {
      found.push({ what: 'failed deliveries are not logged', remedy: 'enable CloudWatchLoggingOptions' });
    }
    return found.map((problem) => ({ where: id, ...problem }));
  }),
);

export const pipeRules: Rule[] = [pipes, streams];
