/**
 * A condition in the form in which Debezium takes it. Debezium (3.7.0) joins it to its own by AND, unbracketed: the two
 * sides of an OR would end up beside the bounds of each piece, which would then be read again and again. The line's end
 * closes a comment.
 * @param condition SQL predicate
 * @throws Error for one with a question mark, which JDBC takes for a parameter: Debezium would pass over the table
 */
export function rowFilter(condition: string): string {
  if (condition.replaceAll(/'(?:[^']|'')*'/g, '').includes('?')) {
    throw new Error(
      `The condition can't be used: the question mark in it would be taken for a parameter. Write the operator as a function, e.g. jsonb_exists(column, 'key').`,
    );
  }
  return `(${condition}\n)`;
}
