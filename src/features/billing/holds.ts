import type { CatalogueModel } from '../../platform/models/index.ts'

/** What a hold is made of; the size of the prompt is known to the statement that takes it. */
export interface HoldTerms {
  /** Micro-credits per 1,000 tokens of the prompt. */
  inputPriceMicroCredits: number
  /** What the longest possible answer costs. */
  outputMicroCredits: number
  /** A prompt is never longer than this. */
  contextTokens: number
  /** Messages a day by plan, when the run counts as one; null when it does not. */
  dailyLimits: Readonly<Record<string, number>> | null
}

/** The terms of a run: the highest prices of the models that may answer, for the longest answer that they may give. */
export function holdTerms(
  models: readonly CatalogueModel[],
  maxOutputTokens: number,
  dailyLimits: HoldTerms['dailyLimits'],
): HoldTerms {
  const highest = (of: (model: CatalogueModel) => number) => Math.max(0, ...models.map(of))
  return {
    inputPriceMicroCredits: highest(model => model.inputPriceMicroCredits),
    outputMicroCredits: highest(model =>
      Math.ceil((Math.min(maxOutputTokens, model.maxOutputTokens) * model.outputPriceMicroCredits) / 1000),
    ),
    contextTokens: highest(model => model.contextTokens),
    dailyLimits,
  }
}

/** What a run's payer gives before it begins: a hold on credits, or nothing where a provider key (by its id) pays. */
export type Payment = HoldTerms | { keyId: string }

/** The values of `heldWith`, in the order of its parameters. */
export function holdValues(terms: Payment): unknown[] {
  if ('keyId' in terms) return [null, null, null, null, terms.keyId]
  const { inputPriceMicroCredits, outputMicroCredits, contextTokens, dailyLimits } = terms
  const limits = dailyLimits === null ? null : JSON.stringify(dailyLimits)
  return [inputPriceMicroCredits, outputMicroCredits, contextTokens, limits, null]
}

/** Few texts have a token for fewer characters; a prompt that has more costs what was held and no more. */
const charactersPerToken = 3
const overheadTokens = 200

/** What is reserved for a prompt whose length is known. */
export function holdAmount(terms: HoldTerms, characters: number): number {
  const tokens = Math.min(characters / charactersPerToken + overheadTokens, terms.contextTokens)
  return Math.ceil((tokens * terms.inputPriceMicroCredits) / 1000) + terms.outputMicroCredits
}

/** Where a statement takes its hold: SQL for the run's ids, one row to take it for, and the length of its prompt. */
export interface HoldPlace {
  account: string
  generation: string
  /** A relation with one row when the run may begin, and none when there is nothing to begin. */
  from: string
  /** Characters of the prompt; may use columns of `from`. */
  characters: string
  /** The number of the first of five parameters, see `holdValues`. */
  firstParameter: number
}

/**
 * The CTE `held (amount, day, key_id)` of a statement that stores a run: it reserves the run's highest price and counts its
 * message (neither where a key pays), or fails the whole statement with AT402 or AT429, see `explainRefusal`.
 */
export function heldWith({ account, generation, from, characters, firstParameter: at }: HoldPlace): string {
  const tokens = `least((${characters}) / ${charactersPerToken}.0 + ${overheadTokens}, $${at + 2}::int)`
  return `held as materialized (
    select amount, $${at + 4}::uuid as key_id, case when $${at + 4}::uuid is null then
      take_hold(${account}, ${generation}, amount, $${at + 3}::jsonb is not null, $${at + 3}::jsonb) end as day
    from (select coalesce(ceil(${tokens} * $${at}::bigint / 1000) + $${at + 1}::bigint, 0)::bigint as amount from ${from}) priced
  )`
}

/** The values of `takenWith`, in the order of its parameters. */
export function takenValues(terms: Payment): unknown[] {
  return 'keyId' in terms ? [terms.keyId, false] : [null, terms.dailyLimits !== null]
}

/**
 * The CTE `held (amount, day, key_id)` of a statement that stores a run whose hold an earlier statement of the same
 * transaction took by `heldWith`. `$at` is the first of two parameters, see `takenValues`.
 */
export function takenWith(generation: string, at: number): string {
  return `held as (
    select coalesce((select -amount_micro_credits from ledger_entries where generation_id = ${generation} and kind = 'hold'), 0)
      as amount, $${at}::uuid as key_id, case when $${at + 1}::boolean then (now() at time zone 'UTC')::date end as day
  )`
}

/**
 * The CTEs `settled (id)` and `used` of a statement that ends runs: `ended` must return the rows of `generations` as they are
 * now. Holds come back, what was used is charged, and a run that came to nothing gives its message back. The statement must
 * select from `settled` too. Accounts take their turns in one order, so that two such statements cannot wait for each other.
 */
export const settledWith = `settled as materialized (
    select id, settle_hold(account_id, id, hold_micro_credits, cost_micro_credits,
      case when status = 'failed' or (status = 'cancelled' and started_at is null) then counted_on end)
    from (select * from ended order by account_id) ended
  ), used as (
    insert into usage_days as u
      (account_id, day, model, kind, payer, runs, failures, input_tokens, output_tokens, cost_micro_credits)
    select account_id, (now() at time zone 'UTC')::date, model, kind, coalesce(key_id::text, 'credits') as payer, count(*),
      count(*) filter (where status = 'failed'), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0),
      sum(cost_micro_credits)
    from ended where started_at is not null group by account_id, model, kind, payer order by account_id
    on conflict (account_id, day, model, kind, payer) do update set runs = u.runs + excluded.runs,
      failures = u.failures + excluded.failures, input_tokens = u.input_tokens + excluded.input_tokens,
      output_tokens = u.output_tokens + excluded.output_tokens,
      cost_micro_credits = u.cost_micro_credits + excluded.cost_micro_credits
  )`
