import { Alert, Group, SegmentedControl, Select, Skeleton, Table, Text } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'
import { explain } from '../../api/errors.ts'
import type { UsageRow } from '../../api/types.ts'
import { formatCost, formatCount } from '../../format.ts'
import { useKeys } from '../keys/queries.ts'
import { Section } from '../settings/section.tsx'
import settings from '../settings/settings.module.css'
import { useUsage } from './queries.ts'
import { barsOf, type Grouping, type Measure } from './series.ts'

const UsageChart = lazy(() => import('./usage-chart.tsx'))

const spans = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
]

const measures: { value: Measure; label: string }[] = [
  { value: 'costMicroCredits', label: 'Credits' },
  { value: 'tokens', label: 'Tokens' },
  { value: 'runs', label: 'Answers' },
]

const groupings: { value: Grouping; label: string; head: string }[] = [
  { value: 'model', label: 'By model', head: 'Model' },
  { value: 'kind', label: 'By kind', head: 'Kind' },
  { value: 'payer', label: 'By payer', head: 'Payer' },
]

/** Said instead of a chart in which every bar would be empty. */
const empty: Record<Measure, string> = {
  costMicroCredits: 'No answer cost credits in this time.',
  tokens: 'No tokens were used in this time.',
  runs: 'There were no answers in this time.',
}

/** What was used: a chart by day, and the same in numbers. */
export function UsagePage() {
  const [days, setDays] = useState('30')
  const [measure, setMeasure] = useState<Measure>('costMicroCredits')
  const [grouping, setGrouping] = useState<Grouping>('model')
  const usage = useUsage(Number(days))
  const nameOf = useNames(grouping)
  return (
    <Section title="Usage" lead="Every answer, by the day (UTC) on which it ended.">
      <Group gap="sm" mb="md">
        <SegmentedControl
          size="xs"
          withItemsBorders={false}
          data={spans}
          value={days}
          onChange={setDays}
          aria-label="Span of time"
        />
        <SegmentedControl
          size="xs"
          withItemsBorders={false}
          data={measures}
          value={measure}
          onChange={value => setMeasure(value as Measure)}
          aria-label="What is counted"
        />
        <Select
          size="xs"
          w={130}
          data={groupings}
          value={grouping}
          onChange={value => value && setGrouping(value as Grouping)}
          allowDeselect={false}
          aria-label="How it is told apart"
        />
      </Group>
      {usage.isPending && <Skeleton height={220} radius="md" role="status" aria-label="Loading the usage" />}
      {usage.isError && (
        <Alert color="red" variant="light" role="alert">
          {explain(usage.error)}
        </Alert>
      )}
      {usage.data && usage.data.rows.length === 0 && (
        <Text size="sm" c="dimmed">
          Nothing was used in this time.
        </Text>
      )}
      {usage.data && usage.data.rows.length > 0 && (
        <>
          <Chart usage={usage.data} {...{ grouping, measure, nameOf }} />
          <Totals rows={usage.data.rows} grouping={grouping} nameOf={nameOf} />
        </>
      )}
    </Section>
  )
}

interface ChartProps {
  usage: Parameters<typeof barsOf>[0]
  grouping: Grouping
  measure: Measure
  nameOf: (group: string) => string
}

function Chart({ usage, grouping, measure, nameOf }: ChartProps) {
  const { bars, groups } = barsOf(usage, grouping, measure)
  if (groups.every(group => group.total === 0))
    return (
      <Text size="sm" c="dimmed">
        {empty[measure]}
      </Text>
    )
  return (
    <Suspense fallback={<Skeleton height={220} radius="md" />}>
      <UsageChart {...{ bars, groups, measure, nameOf }} />
    </Suspense>
  )
}

/** How a group is called; payers that are keys have names of their own. */
function useNames(grouping: Grouping): (group: string) => string {
  const keys = useKeys()
  return group => {
    if (grouping !== 'payer' || group === 'credits') return group
    return keys.data?.find(key => key.id === group)?.name ?? 'A removed key'
  }
}

interface TotalsProps {
  rows: readonly UsageRow[]
  grouping: Grouping
  nameOf: (group: string) => string
}

function Totals({ rows, grouping, nameOf }: TotalsProps) {
  const groups = Map.groupBy(rows, row => row[grouping])
  const sum = (list: readonly UsageRow[], of: (row: UsageRow) => number) =>
    list.reduce((total, row) => total + of(row), 0)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section className={settings.wide} aria-label="Totals" tabIndex={0}>
      <Table fz="sm" verticalSpacing={6} miw={500}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{groupings.find(one => one.value === grouping)?.head}</Table.Th>
            <Table.Th ta="right">Answers</Table.Th>
            <Table.Th ta="right">Failed</Table.Th>
            <Table.Th ta="right">Tokens in</Table.Th>
            <Table.Th ta="right">Tokens out</Table.Th>
            <Table.Th ta="right">Cost</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {[...groups].map(([group, list]) => (
            <Table.Tr key={group}>
              <Table.Td>{nameOf(group)}</Table.Td>
              <Table.Td ta="right">{formatCount(sum(list, row => row.runs))}</Table.Td>
              <Table.Td ta="right">{formatCount(sum(list, row => row.failures))}</Table.Td>
              <Table.Td ta="right">{formatCount(sum(list, row => row.inputTokens))}</Table.Td>
              <Table.Td ta="right">{formatCount(sum(list, row => row.outputTokens))}</Table.Td>
              <Table.Td ta="right">{formatCost(sum(list, row => row.costMicroCredits))}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  )
}
