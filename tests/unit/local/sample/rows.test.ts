import { describe, expect, it } from '@jest/globals';
import { weightedIndex, zipf } from '../../../../local/sample/distributions.ts';
import { type SampleRows, sampleRows } from '../../../../local/sample/rows.ts';

const until = new Date('2026-01-31T00:00:00Z');
const rows = sampleRows({ scale: 0.2, until, seed: 1 });

const share = (orders: SampleRows['orders'], fits: (index: number) => boolean) =>
  orders.id.filter((_, index) => fits(index)).length / orders.id.length;

describe('the sample shop', () => {
  it('is the same for the same seed, and another for another', () => {
    const small = { scale: 0.01, until };
    expect(sampleRows({ ...small, seed: 1 })).toEqual(sampleRows({ ...small, seed: 1 }));
    expect(sampleRows({ ...small, seed: 1 })).not.toEqual(sampleRows({ ...small, seed: 2 }));
  });

  it('has the size that its scale says, with addresses that nobody shares', () => {
    const { users, products, orders } = rows;
    expect([users.id.length, products.id.length, orders.id.length]).toEqual([1_000, 100, 10_000]);
    expect(new Set(users.email).size).toBe(1_000);
  });

  it('counts in cents', () => {
    const { orders, products } = rows;
    orders.id.forEach((_, index) => {
      const price = Number(products.price[(orders.product_id[index] as number) - 1]);
      expect(Number(orders.total_amount[index])).toBeCloseTo(price * (orders.quantity[index] as number), 2);
    });
  });

  it('sells few products much more than the others', () => {
    const sales = new Map<number, number>();
    for (const id of rows.orders.product_id) sales.set(id, (sales.get(id) ?? 0) + 1);
    const sorted = [...sales.values()].sort((a, b) => b - a);
    const best = sorted.slice(0, 10).reduce((sum, n) => sum + n, 0);
    expect(best / rows.orders.id.length).toBeGreaterThan(0.3);
  });

  it('is busier at week-ends, never before the last 18 months, never in the future', () => {
    const day = (index: number) => new Date(rows.orders.created_at[index] as string).getUTCDay();
    expect(share(rows.orders, (index) => [0, 6].includes(day(index)))).toBeGreaterThan(0.32);
    const oldest = new Date(until.getTime() - 549 * 24 * 60 * 60 * 1000).toISOString();
    expect(rows.orders.created_at.every((at) => at >= oldest && at <= until.toISOString())).toBe(true);
    expect(rows.orders.updated_at.every((at, index) => at >= (rows.orders.created_at[index] as string))).toBe(
      true,
    );
  });

  it('knows its people and products before their first order', () => {
    rows.orders.id.forEach((_, index) => {
      const at = rows.orders.created_at[index] as string;
      expect((rows.users.created_at[(rows.orders.user_id[index] as number) - 1] as string) <= at).toBe(true);
      expect((rows.products.created_at[(rows.orders.product_id[index] as number) - 1] as string) <= at).toBe(
        true,
      );
    });
  });

  it('has notes that PostgreSQL stores outside the row', () => {
    const large = share(rows.orders, (index) => (rows.orders.notes[index]?.length ?? 0) > 2_100);
    expect(large).toBeGreaterThan(0.02);
    expect(large).toBeLessThan(0.04);
  });
});

describe('the draws', () => {
  it('follow their weights', () => {
    const draws = [0, 0.24, 0.25, 0.74, 0.75, 0.999];
    const next = weightedIndex([1, 2, 1], () => draws.shift() as number);
    expect(Array.from({ length: 6 }, next)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it("follow Zipf's law", () => {
    expect([zipf(3, 1, () => 0.54)(), zipf(3, 1, () => 0.55)(), zipf(3, 1, () => 0.99)()]).toEqual([0, 1, 2]);
  });
});
