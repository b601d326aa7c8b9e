import { faker } from '@faker-js/faker/locale/en';
import { logNormal, type Random, shoppingTimes, weightedIndex, zipf } from './distributions.ts';

export type SampleOptions = {
  /** 1 means 5,000 users, 500 products and 50,000 orders. */
  scale: number;
  /** The newest order is not younger than this. */
  until: Date;
  seed: number;
};

/** Rows by column, as INSERT ... SELECT unnest(...) takes them; money in cents is written with its point. */
export type SampleRows = {
  users: Record<'name' | 'email' | 'country' | 'created_at', string[]> & {
    id: number[];
    bio: (string | null)[];
  };
  products: Record<'name' | 'price' | 'category' | 'created_at', string[]> & {
    id: number[];
    stock: number[];
  };
  orders: Record<'total_amount' | 'status' | 'created_at' | 'updated_at', string[]> &
    Record<'id' | 'user_id' | 'product_id' | 'quantity', number[]> & { notes: (string | null)[] };
};

export const CATEGORIES = ['Electronics', 'Books', 'Home', 'Garden', 'Toys', 'Sports', 'Clothing', 'Grocery'];
/** Median price of each category. */
const MEDIAN_PRICES = [180, 16, 60, 45, 25, 70, 40, 8];
const CATEGORY_WEIGHTS = [3, 5, 4, 2, 3, 2, 6, 4];
const COUNTRIES = ['US', 'DE', 'GB', 'FR', 'NL', 'ES', 'IT', 'SE', 'PL', 'JP', 'BR', 'IN'];
/** Reserved for examples (RFC 2606): nobody's address. */
const MAIL_DOMAINS = ['mail.example', 'post.example', 'inbox.example', 'letters.example', 'office.example'];

const DAYS = 548;
const DAY_MS = 24 * 60 * 60 * 1000;
const MONEY_LIMIT = 99_999_999;
const PARAGRAPHS = 200;

/** Above about 2 kB PostgreSQL moves a value out of its row. */
const LARGE_NOTE_CHARACTERS = 2_400;
const LARGE_NOTES = 0.03;
const SHORT_NOTES = 0.25;
const BIOS = 0.4;

/** Draws everything that a row of the sample tables is made of; the same seed draws the same. */
export class SampleWriter {
  readonly random: Random;
  readonly #paragraphs: string[];
  readonly #category: () => number;
  readonly #country: () => number;
  readonly #domain: () => number;

  constructor(seed: number) {
    faker.seed(seed);
    this.random = () => faker.number.float();
    this.#paragraphs = Array.from({ length: PARAGRAPHS }, () => faker.lorem.paragraph());
    this.#category = weightedIndex(CATEGORY_WEIGHTS, this.random);
    this.#country = zipf(COUNTRIES.length, 0.9, this.random);
    this.#domain = zipf(MAIL_DOMAINS.length, 0.7, this.random);
  }

  /** `unique` keeps two people of one name apart. */
  user(unique: string): { name: string; email: string; country: string; bio: string | null } {
    const name = `${faker.person.firstName()} ${faker.person.lastName()}`;
    const country = COUNTRIES[this.#country()] as string;
    return {
      name,
      email: this.email(name, unique),
      country,
      bio: this.random() < BIOS ? this.paragraph() : null,
    };
  }

  email(name: string, unique: string): string {
    const local = name.toLowerCase().replaceAll(/[^a-z]+/g, '.');
    return `${local}.${unique}@${MAIL_DOMAINS[this.#domain()]}`;
  }

  product(): { name: string; category: string; price: string; stock: number } {
    const category = this.#category();
    const cents = Math.round(100 * logNormal(MEDIAN_PRICES[category] as number, 0.7, this.random));
    return {
      name: faker.commerce.productName(),
      category: CATEGORIES[category] as string,
      price: money(Math.max(cents, 50)),
      stock: Math.floor(logNormal(120, 0.8, this.random)),
    };
  }

  /** Mostly 1. */
  quantity(): number {
    return 1 + Math.floor(-Math.log(1 - this.random()) * 0.8);
  }

  paragraph(): string {
    return this.#paragraphs[Math.floor(this.random() * PARAGRAPHS)] as string;
  }

  note(): string | null {
    const draw = this.random();
    if (draw < LARGE_NOTES) return this.largeNote();
    return draw < LARGE_NOTES + SHORT_NOTES ? this.paragraph() : null;
  }

  /** 2.4 to 8 kB. */
  largeNote(): string {
    const characters = LARGE_NOTE_CHARACTERS + this.random() * 5_600;
    let note = this.paragraph();
    while (note.length < characters) note += `\n${this.paragraph()}`;
    return note;
  }
}

/** `1234` cents -> `12.34`. */
export function money(cents: number): string {
  return (Math.min(cents, MONEY_LIMIT * 100) / 100).toFixed(2);
}

/**
 * A shop's last 18 months: few products and few users make most of the orders, prices are log-normal, week-ends are
 * busier. The same options give the same rows.
 */
export function sampleRows({ scale, until, seed }: SampleOptions): SampleRows {
  const writer = new SampleWriter(seed);
  const count = { users: 5_000, products: 500, orders: 50_000 };
  const size = (table: keyof typeof count) => Math.max(1, Math.round(count[table] * scale));
  const users = Array.from({ length: size('users') }, (_, index) => writer.user(String(index + 1)));
  const products = Array.from({ length: size('products') }, () => writer.product());
  const orders = drawOrders(writer, size('orders'), users.length, products, until);
  const before = (first: Map<number, number>, id: number) =>
    new Date((first.get(id) ?? until.getTime()) - writer.random() * 200 * DAY_MS).toISOString();
  const [firstOfUser, firstOfProduct] = [firstOrders(orders, 'user_id'), firstOrders(orders, 'product_id')];
  return {
    users: {
      id: users.map((_, index) => index + 1),
      name: users.map(({ name }) => name),
      email: users.map(({ email }) => email),
      country: users.map(({ country }) => country),
      bio: users.map(({ bio }) => bio),
      created_at: users.map((_, index) => before(firstOfUser, index + 1)),
    },
    products: {
      id: products.map((_, index) => index + 1),
      name: products.map(({ name }) => name),
      price: products.map(({ price }) => price),
      category: products.map(({ category }) => category),
      stock: products.map(({ stock }) => stock),
      created_at: products.map((_, index) => before(firstOfProduct, index + 1)),
    },
    orders,
  };
}

function drawOrders(
  writer: SampleWriter,
  count: number,
  users: number,
  products: readonly { price: string }[],
  until: Date,
): SampleRows['orders'] {
  const { random } = writer;
  const user = scattered(users, 0.35, random);
  const product = scattered(products.length, 0.75, random);
  const time = shoppingTimes(until, DAYS, random);
  const times = Array.from({ length: count }, () => time().getTime()).sort((a, b) => a - b);
  const orders: SampleRows['orders'] = {
    id: [],
    user_id: [],
    product_id: [],
    quantity: [],
    total_amount: [],
    status: [],
    notes: [],
    created_at: [],
    updated_at: [],
  };
  times.forEach((at, index) => {
    const productId = product();
    const quantity = writer.quantity();
    const { status, after } = drawStatus((until.getTime() - at) / DAY_MS, random);
    orders.id.push(index + 1);
    orders.user_id.push(user());
    orders.product_id.push(productId);
    orders.quantity.push(quantity);
    orders.total_amount.push(money(quantity * Math.round(Number(products[productId - 1]?.price) * 100)));
    orders.status.push(status);
    orders.notes.push(writer.note());
    orders.created_at.push(new Date(at).toISOString());
    orders.updated_at.push(new Date(Math.min(at + after * DAY_MS, until.getTime())).toISOString());
  });
  return orders;
}

/** Draws ids 1 to count by Zipf's law, the popular ones spread over all ids. */
export function scattered(count: number, exponent: number, random: Random): () => number {
  const rank = zipf(count, exponent, random);
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [ids[last], ids[other]] = [ids[other] as number, ids[last] as number];
  }
  return () => ids[rank()] as number;
}

/** Status of an order of a given age, and when it got it, both in days. */
function drawStatus(age: number, random: Random): { status: string; after: number } {
  const draw = random();
  if (draw < 0.07) return { status: 'cancelled', after: random() };
  if (age < 0.5) return { status: draw < 0.6 ? 'pending' : 'paid', after: random() * age };
  if (age < 2) return { status: draw < 0.3 ? 'paid' : 'shipped', after: random() * age };
  if (age < 6) return { status: draw < 0.4 ? 'shipped' : 'delivered', after: 1 + random() * (age - 1) };
  return draw < 0.12
    ? { status: 'returned', after: 6 + 10 * random() }
    : { status: 'delivered', after: 2 + 4 * random() };
}

function firstOrders(orders: SampleRows['orders'], column: 'user_id' | 'product_id'): Map<number, number> {
  const first = new Map<number, number>();
  orders[column].forEach((id, index) => {
    if (!first.has(id)) first.set(id, Date.parse(orders.created_at[index] as string));
  });
  return first;
}
