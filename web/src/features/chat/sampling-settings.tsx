import { ActionIcon, Button, Group, NumberInput, Popover, Slider, Stack, Text, Tooltip } from '@mantine/core'
import { IconAdjustmentsHorizontal } from '@tabler/icons-react'
import { type ChatSettings, serverDefaults } from './settings.ts'

interface SamplingSettingsProps {
  settings: ChatSettings
  maxOutputTokens: number
  onChange: (fields: Partial<ChatSettings>) => void
  onReset: () => void
}

/** How freely and how long the model answers. */
export function SamplingSettings({ settings, maxOutputTokens, onChange, onReset }: SamplingSettingsProps) {
  const { temperature, topP, topK, maxOutputTokens: limit } = settings
  const isChanged = [temperature, topP, topK, limit].some(value => value !== null)
  return (
    <Popover width={300} position="top-start" trapFocus returnFocus>
      <Popover.Target>
        <Tooltip label="Answer settings">
          <ActionIcon
            size="md"
            aria-label={isChanged ? 'Answer settings, changed' : 'Answer settings'}
            {...(isChanged ? { color: 'viridian', variant: 'light' } : {})}
          >
            <IconAdjustmentsHorizontal size={18} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown aria-label="Answer settings">
        <Stack gap="md">
          <Range
            label="Temperature"
            hint="Low is exact, high is inventive."
            value={temperature ?? serverDefaults.temperature}
            max={2}
            step={0.05}
            onChange={value => onChange({ temperature: value })}
          />
          <Range
            label="Top P"
            hint="How much of the likely vocabulary is used."
            value={topP ?? serverDefaults.topP}
            min={0.05}
            max={1}
            step={0.05}
            onChange={value => onChange({ topP: value })}
          />
          <Group grow align="flex-start" gap="sm">
            <Whole
              label="Top K"
              value={topK ?? serverDefaults.topK}
              max={1_000}
              onChange={value => onChange({ topK: value })}
            />
            <Whole
              label="Longest answer"
              suffix=" tokens"
              value={limit ?? Math.min(serverDefaults.maxOutputTokens, maxOutputTokens)}
              max={maxOutputTokens}
              onChange={value => onChange({ maxOutputTokens: value })}
            />
          </Group>
          <Button size="compact-sm" variant="subtle" color="gray" disabled={!isChanged} onClick={onReset}>
            Reset to defaults
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

interface RangeProps {
  label: string
  hint: string
  value: number
  min?: number
  max: number
  step: number
  onChange: (value: number) => void
}

function Range({ label, hint, value, min = 0, max, step, onChange }: RangeProps) {
  return (
    <div>
      <Group justify="space-between">
        <Text size="sm" fw={500}>
          {label}
        </Text>
        <Text size="sm" c="dimmed" ff="monospace">
          {value.toFixed(2)}
        </Text>
      </Group>
      <Text size="xs" c="dimmed" mb={6}>
        {hint}
      </Text>
      <Slider
        label={null}
        thumbLabel={label}
        value={value}
        min={min}
        max={max}
        step={step}
        onChange={onChange}
      />
    </div>
  )
}

interface WholeProps {
  label: string
  value: number
  max: number
  suffix?: string
  onChange: (value: number) => void
}

function Whole({ label, value, max, suffix = '', onChange }: WholeProps) {
  return (
    <NumberInput
      size="sm"
      label={label}
      value={value}
      min={1}
      max={max}
      suffix={suffix}
      allowDecimal={false}
      thousandSeparator=","
      clampBehavior="blur"
      onChange={next => typeof next === 'number' && next >= 1 && onChange(Math.min(next, max))}
    />
  )
}
