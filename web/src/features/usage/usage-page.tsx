import { Alert, Group, SegmentedControl, Select, Skeleton, Table, Text } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'
import { explain } from '../../api/errors.ts'
import type { UsageRow } from '../../api/types.ts'
import { formatCost, formatCount } from '../../format.ts'
import { useKeys } from '../keys/queries.ts'
import { Section } from '../settings/section.tsx'
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

const groupings: { value: Grouping; label: string }[] = [
  { value: 'model', label: 'By model' },
  { value: 'kind', label: 'By kind' },
  { value: 'payer', label: 'By payer' },
]

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
        <SegmentedControl size="xs" data={spans} value={days} onChange={setDays} aria-label="Span of time" />
        <SegmentedControl
          size="xs"
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
          <Suspense fallback={<Skeleton height={220} radius="md" />}>
            <UsageChart {...barsOf(usage.data, grouping, measure)} measure={measure} nameOf={nameOf} />
          </Suspense>
          <Totals rows={usage.data.rows} grouping={grouping} nameOf={nameOf} />
        </>
      )}
    </Section>
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
    <Table mt="md" fz="sm" verticalSpacing={6}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{groupings.find(one => one.value === grouping)?.label.replace('By ', '')}</Table.Th>
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
  )
}
