import { zipf } from './distributions.ts';
import type { SampleWriter } from './rows.ts';

export type Table = 'users' | 'products' | 'orders';
export type Operation = 'insert' | 'update' | 'delete';

/** Changes at most one row; an insert returns its id. */
export type Statement = { table: Table; operation: Operation; sql: string; values: unknown[] };

/** A business transaction; its later statements are left out once one has found no row. */
export type Activity = { name: string; weight: number; statements: () => Statement[] };

const NEW_USER = `currval(pg_get_serial_sequence('public.users', 'id'))`;

/** Draws what a transaction is about. Ids may be gone by now: statements take the next row that fits. */
export class Choice {
  readonly writer: SampleWriter;
  readonly #highest: Record<Table, number>;
  readonly #popularity: () => number;
  readonly #run: string;
  #serial = 0;

  /** `run` tells the people of this run from those of others. */
  constructor(writer: SampleWriter, highest: Record<Table, number>, run: string) {
    this.writer = writer;
    this.#highest = highest;
    this.#popularity = zipf(Math.max(highest.products, 1), 0.75, writer.random);
    this.#run = run;
  }

  any(table: Table): number {
    return 1 + Math.floor(this.writer.random() * this.#highest[table]);
  }

  /** Rather a late order than an early one. */
  lateOrder(): number {
    return 1 + Math.floor((1 - this.writer.random() ** 6) * this.#highest.orders);
  }

  popularProduct(): number {
    return 1 + this.#popularity();
  }

  unique(): string {
    this.#serial += 1;
    return `${this.#run}.${this.#serial}`;
  }

  /** From now on `id` may be chosen, too. */
  made(table: Table, id: number): void {
    this.#highest[table] = Math.max(this.#highest[table], id);
  }
}

/** All that goes on in the shop, and how often each in relation to the others. */
export function activities(choice: Choice): Activity[] {
  return [
    { name: 'place an order', weight: 30, statements: () => placeOrder(choice) },
    { name: 'advance an order', weight: 22, statements: () => [advanceOrder(choice)] },
    { name: 'cancel an order', weight: 5, statements: () => cancelOrder(choice) },
    { name: 'delete a cancelled order', weight: 4, statements: () => [deleteOrder(choice)] },
    { name: 'write a note', weight: 6, statements: () => [writeNote(choice)] },
    { name: 'touch an order with a large note', weight: 6, statements: () => [touchLargeNote(choice)] },
    { name: 'sign up and order', weight: 6, statements: () => [signUp(choice), ...firstOrder(choice)] },
    { name: 'change an address', weight: 5, statements: () => [changeEmail(choice)] },
    { name: 'edit a profile', weight: 4, statements: () => [editProfile(choice)] },
    { name: 'close an account', weight: 2, statements: () => [signOff(choice)] },
    { name: 'change a price', weight: 5, statements: () => [changePrice(choice)] },
    { name: 'restock', weight: 4, statements: () => [restock(choice)] },
    { name: 'launch a product', weight: 2, statements: () => [launchProduct(choice)] },
    { name: 'withdraw a product', weight: 1, statements: () => [withdrawProduct(choice)] },
  ];
}

export function signUp(choice: Choice): Statement {
  const { name, email, country, bio } = choice.writer.user(choice.unique());
  return {
    table: 'users',
    operation: 'insert',
    sql: 'INSERT INTO public.users (name, email, country, bio) VALUES ($1, $2, $3, $4) RETURNING id',
    values: [name, email, country, bio],
  };
}

export function launchProduct(choice: Choice): Statement {
  const { name, price, category, stock } = choice.writer.product();
  return {
    table: 'products',
    operation: 'insert',
    sql: 'INSERT INTO public.products (name, price, category, stock) VALUES ($1, $2, $3, $4) RETURNING id',
    values: [name, price, category, stock],
  };
}

function placeOrder(choice: Choice): Statement[] {
  return orderOf(choice, from('users', '$4'), [choice.any('users')]);
}

/** Half of those who sign up order in the same transaction. */
function firstOrder(choice: Choice): Statement[] {
  return choice.writer.random() < 0.5 ? orderOf(choice, NEW_USER, []) : [];
}

/** The order, and its pieces taken from the stock. */
function orderOf(choice: Choice, user: string, userValues: number[]): Statement[] {
  const product = choice.popularProduct();
  const quantity = choice.writer.quantity();
  return [
    {
      table: 'orders',
      operation: 'insert',
      sql: `INSERT INTO public.orders (user_id, product_id, quantity, total_amount, notes)
SELECT u.id, p.id, $2::int, $2::int * p.price, $3
FROM (SELECT ${user} AS id) AS u, public.products AS p
WHERE u.id IS NOT NULL AND p.id = ${from('products', '$1')}
RETURNING id`,
      values: [product, quantity, choice.writer.note(), ...userValues],
    },
    {
      table: 'products',
      operation: 'update',
      sql: `UPDATE public.products SET stock = stock - $2, updated_at = now()
WHERE id = ${from('products', '$1')} AND stock >= $2`,
      values: [product, quantity],
    },
  ];
}

function advanceOrder(choice: Choice): Statement {
  return updateOrder(
    `status = CASE status WHEN 'pending' THEN 'paid' WHEN 'paid' THEN 'shipped' WHEN 'shipped' THEN 'delivered'
  ELSE 'returned' END`,
    `status IN ('pending', 'paid', 'shipped') OR (status = 'delivered' AND updated_at > now() - interval '30 days')`,
    [choice.lateOrder()],
  );
}

/** Its pieces go back to the stock. */
function cancelOrder(choice: Choice): Statement[] {
  const open = `status IN ('pending', 'paid')`;
  const order = choice.lateOrder();
  return [
    {
      table: 'products',
      operation: 'update',
      sql: `UPDATE public.products AS p SET stock = p.stock + o.quantity, updated_at = now()
FROM public.orders AS o WHERE o.id = ${from('orders', '$1', open)} AND p.id = o.product_id`,
      values: [order],
    },
    updateOrder(`status = 'cancelled'`, open, [order]),
  ];
}

function deleteOrder(choice: Choice): Statement {
  return {
    table: 'orders',
    operation: 'delete',
    sql: `DELETE FROM public.orders WHERE id = ${from('orders', '$1', "status = 'cancelled'")}`,
    values: [choice.lateOrder()],
  };
}

function writeNote(choice: Choice): Statement {
  const { writer } = choice;
  const note = writer.random() < 0.3 ? writer.largeNote() : writer.paragraph();
  return updateOrder('notes = $2', 'true', [choice.lateOrder(), note]);
}

/** The note stays out of line and unchanged: its change event does not carry it. */
function touchLargeNote(choice: Choice): Statement {
  return updateOrder('quantity = quantity', 'length(notes) > 2000', [choice.any('orders')]);
}

function changeEmail(choice: Choice): Statement {
  const email = choice.writer.email('moved', choice.unique());
  return updateUser('email = $2', [choice.any('users'), email]);
}

function editProfile(choice: Choice): Statement {
  return updateUser('bio = $2', [choice.any('users'), choice.writer.paragraph()]);
}

function signOff(choice: Choice): Statement {
  const idle = 'NOT EXISTS (SELECT FROM public.orders AS o WHERE o.user_id = t.id)';
  return {
    table: 'users',
    operation: 'delete',
    sql: `DELETE FROM public.users WHERE id = ${from('users', '$1', idle)}`,
    values: [choice.any('users')],
  };
}

function changePrice(choice: Choice): Statement {
  const factor = 0.85 + 0.3 * choice.writer.random();
  return updateProduct('price = greatest(round(price * $2::numeric, 2), 0.5)', [
    choice.any('products'),
    factor,
  ]);
}

function restock(choice: Choice): Statement {
  const pieces = 20 + Math.floor(choice.writer.random() * 180);
  return updateProduct('stock = stock + $2::int', [choice.any('products'), pieces]);
}

function withdrawProduct(choice: Choice): Statement {
  const unsold = 'NOT EXISTS (SELECT FROM public.orders AS o WHERE o.product_id = t.id)';
  return {
    table: 'products',
    operation: 'delete',
    sql: `DELETE FROM public.products WHERE id = ${from('products', '$1', unsold)}`,
    values: [choice.any('products')],
  };
}

function updateOrder(set: string, where: string, values: unknown[]): Statement {
  return update('orders', set, where, values);
}

function updateUser(set: string, values: unknown[]): Statement {
  return update('users', set, 'true', values);
}

function updateProduct(set: string, values: unknown[]): Statement {
  return update('products', set, 'true', values);
}

function update(table: Table, set: string, where: string, values: unknown[]): Statement {
  return {
    table,
    operation: 'update',
    sql: `UPDATE public.${table} SET ${set}, updated_at = now() WHERE id = ${from(table, '$1', where)}`,
    values,
  };
}

/** SQL for the first id, from a parameter's value on, of a row that fits. */
function from(table: Table, parameter: string, where = 'true'): string {
  return `(SELECT t.id FROM public.${table} AS t WHERE t.id >= ${parameter} AND (${where}) ORDER BY t.id LIMIT 1)`;
}
