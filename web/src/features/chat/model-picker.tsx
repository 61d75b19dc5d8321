import { Combobox, InputBase, Text, UnstyledButton, useCombobox } from '@mantine/core'
import { IconCheck, IconChevronDown } from '@tabler/icons-react'
import { useState } from 'react'
import type { Model } from '../../api/types.ts'
import { formatPrice, formatTokens, shortLabel } from '../../format.ts'
import classes from './composer.module.css'

interface ModelPickerProps {
  models: readonly Model[]
  chosen: Model | undefined
  onChoose: (id: string) => void
}

/** Chooses the model that answers; searchable once there are many. */
export function ModelPicker({ models, chosen, onChoose }: ModelPickerProps) {
  const [search, setSearch] = useState('')
  const isSearchable = models.length > 7
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption()
      setSearch('')
    },
    onDropdownOpen: () => (isSearchable ? combobox.focusSearchInput() : combobox.selectActiveOption()),
  })
  const wanted = search.trim().toLowerCase()
  const shown = models.filter(model => `${model.label} ${model.id}`.toLowerCase().includes(wanted))

  return (
    <Combobox
      store={combobox}
      width={320}
      position="top-start"
      shadow="md"
      onOptionSubmit={id => {
        onChoose(id)
        combobox.closeDropdown()
      }}
    >
      <Combobox.Target targetType="button">
        <UnstyledButton
          className={classes.tool}
          onClick={() => combobox.toggleDropdown()}
          aria-label={`Model: ${chosen?.label ?? 'loading'}`}
        >
          <span className={classes.toolLabel}>{chosen ? shortLabel(chosen.label) : 'Model'}</span>
          <IconChevronDown size={14} aria-hidden />
        </UnstyledButton>
      </Combobox.Target>
      <Combobox.Dropdown>
        {isSearchable && (
          <Combobox.Search
            value={search}
            onChange={event => setSearch(event.currentTarget.value)}
            placeholder="Search models"
            aria-label="Search models"
          />
        )}
        <Combobox.Options mah={320} style={{ overflowY: 'auto' }} aria-label="Models">
          {shown.length === 0 && <Combobox.Empty>No model matches</Combobox.Empty>}
          {shown.map(model => (
            <Combobox.Option
              key={model.id}
              value={model.id}
              className={classes.option ?? ''}
              active={model.id === chosen?.id}
            >
              <ModelLine model={model} isChosen={model.id === chosen?.id} />
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  )
}

function ModelLine({ model, isChosen }: { model: Model; isChosen: boolean }) {
  return (
    <InputBase
      component="div"
      variant="unstyled"
      size="xs"
      multiline
      rightSection={isChosen && <IconCheck size={16} />}
    >
      <Text size="sm" fw={500} truncate>
        {model.label}
      </Text>
      <Text size="xs" c="dimmed">
        {formatTokens(model.contextTokens)} of context · {formatPrice(model)}
      </Text>
    </InputBase>
  )
}
