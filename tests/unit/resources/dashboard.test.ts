import { describe, expect, it } from '@jest/globals';
import { alarmsOf, watchedBy } from '../../../resources/alarms.ts';
import { dashboard, dashboardBody } from '../../../resources/dashboard.ts';
import { registryOf, resourceOf, stageContext } from './stage-context.ts';

async function bodyOf(tables: number) {
  const watched = await watchedBy(stageContext('dev', { nameStage: 'dev' }, registryOf(tables)));
  return dashboardBody(watched, alarmsOf(watched));
}

describe('the dashboard', () => {
  it('has the same graphs for 3 tables as for 60', async () => {
    const [few, many] = await Promise.all([bodyOf(3), bodyOf(60)]);
    expect(many.widgets.slice(1)).toEqual(few.widgets.slice(1));
  });

  it('stays within what CloudWatch takes with 60 tables', async () => {
    const { widgets } = await bodyOf(60);
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
    expect(widgets.length).toBeLessThanOrEqual(500);
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    expect((widgets[0]?.properties as { alarms: string[] } | undefined)?.alarms.length).toBeLessThanOrEqual(
      100,
    );
    // Fn::Sub of a text: CloudFormation takes a megabyte of template in all.
    expect(JSON.stringify(widgets).length).toBeLessThan(50_000);
  });

  it('lies on the grid without holes or overlaps', async () => {
    const { widgets } = await bodyOf(3);
    const cells = widgets.flatMap(({ x, y, width, height }) =>
      Array.from(
        { length: width * height },
        (_, cell) => `${x + (cell % width)}/${y + Math.floor(cell / width)}`,
      ),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
  });

  it('is JSON once CloudFormation has put in its names', async () => {
    const part = await dashboard(stageContext('dev', { nameStage: 'dev' }));
    const { DashboardBody } = resourceOf(part, 'Dashboard').Properties as {
      DashboardBody: { 'Fn::Sub': string };
    };
    const filled = DashboardBody['Fn::Sub'].replaceAll(/\$\{[A-Za-z.:]+\}/g, 'x');
    expect(filled).not.toContain('${');
    expect(JSON.parse(filled)).toHaveProperty('widgets');
  });
});
