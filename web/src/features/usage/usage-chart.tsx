import { Bar, BarChart, CartesianGrid, Legend, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'
import { formatCost, formatCount } from '../../format.ts'
import type { Bar as Day, Measure } from './series.ts'

interface UsageChartProps {
  bars: Day[]
  groups: readonly { name: string; total: number }[]
  measure: Measure
  nameOf: (group: string) => string
}

/** Told apart in light and dark, also by those who do not see every colour. */
const colors = ['var(--accent)', '#4a7bc8', '#c98a1b', '#a3588a', '#5f9ea0', '#8a8f98']

/** Stacked bars by day. The table beside it says the same, so that nothing is told by the picture alone. */
export default function UsageChart({ bars, groups, measure, nameOf }: UsageChartProps) {
  const format = (value: number) => (measure === 'costMicroCredits' ? formatCost(value) : formatCount(value))
  return (
    <div aria-hidden style={{ height: 240 }}>
      <ResponsiveContainer width="100%" height="100%">
        <BarChart data={bars} margin={{ top: 4, right: 4, bottom: 0, left: 4 }}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis
            dataKey="day"
            tickFormatter={(day: string) => day.slice(5)}
            tick={{ fontSize: 11, fill: 'var(--ink-soft)' }}
            minTickGap={16}
          />
          <YAxis
            width={70}
            allowDecimals={false}
            tickFormatter={(value: number) => (value === 0 ? '0' : format(value).replace(/ credits?$/, ''))}
            tick={{ fontSize: 11, fill: 'var(--ink-soft)' }}
          />
          <Tooltip
            formatter={(value, name) => [format(Number(value)), nameOf(String(name))]}
            contentStyle={{
              background: 'var(--ground-raised)',
              borderColor: 'var(--line-strong)',
              fontSize: 12,
            }}
            cursor={{ fill: 'var(--ground-sunken)' }}
          />
          {groups.length > 1 && (
            <Legend formatter={name => nameOf(String(name))} wrapperStyle={{ fontSize: 12 }} />
          )}
          {groups.map(({ name }, index) => (
            <Bar
              key={name}
              // A function, because a model's name may hold dots, which a path would be split at.
              dataKey={(bar: Day) => Number(bar[name] ?? 0)}
              name={name}
              stackId="all"
              fill={colors[index % colors.length] ?? 'var(--accent)'}
              isAnimationActive={false}
            />
          ))}
        </BarChart>
      </ResponsiveContainer>
    </div>
  )
}
