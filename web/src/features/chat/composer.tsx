import { ActionIcon, Textarea, Tooltip } from '@mantine/core'
import { IconArrowUp, IconPlayerStopFilled } from '@tabler/icons-react'
import { type KeyboardEvent, type RefObject, useId } from 'react'
import classes from './composer.module.css'
import { ModelPicker } from './model-picker.tsx'
import { SamplingSettings } from './sampling-settings.tsx'
import { chosenModel, type useChatSettings, useModels } from './settings.ts'

interface ComposerProps {
  draft: string
  onDraft: (text: string) => void
  onSend: () => void
  /** While an answer is being made, the button stops it. */
  onStop: (() => void) | null
  /** Why sending is not possible right now; null when it is. */
  obstacle: string | null
  placeholder?: string
  chat: ReturnType<typeof useChatSettings>
  input: RefObject<HTMLTextAreaElement | null>
}

const maxLength = 100_000

/** Where one writes: Enter sends, Shift+Enter makes a new line. */
export function Composer(props: ComposerProps) {
  const { draft, onDraft, onSend, onStop, obstacle, chat, input } = props
  const models = useModels()
  const model = chosenModel(models.data, chat.settings.model)
  const hint = useId()
  const reason = obstacle ?? (draft.trim() === '' ? 'Write a message first' : null)

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    if (!reason && !onStop) onSend()
  }

  return (
    <form
      className={classes.composer}
      onSubmit={event => {
        event.preventDefault()
        if (!reason && !onStop) onSend()
      }}
    >
      <Textarea
        ref={input}
        variant="unstyled"
        aria-label="Message"
        aria-describedby={hint}
        placeholder={props.placeholder ?? 'Describe what you want to make…'}
        autosize
        minRows={1}
        maxRows={10}
        maxLength={maxLength}
        value={draft}
        onChange={event => onDraft(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        classNames={{ input: classes.input ?? '' }}
      />
      <div className={classes.tools}>
        <ModelPicker
          models={models.data ?? []}
          chosen={model}
          onChoose={id => chat.change({ model: id, maxOutputTokens: null })}
        />
        <SamplingSettings
          settings={chat.settings}
          maxOutputTokens={model?.maxOutputTokens ?? 8_192}
          onChange={chat.change}
          onReset={chat.resetSampling}
        />
        <span id={hint} className={classes.hint}>
          {draft.length > maxLength * 0.9
            ? `${maxLength - draft.length} characters left`
            : (obstacle ?? 'Enter sends, Shift+Enter starts a new line')}
        </span>
        {onStop ? (
          <Tooltip label="Stop (Esc)">
            <ActionIcon
              type="button"
              size={34}
              radius="xl"
              variant="filled"
              color="dark"
              aria-label="Stop"
              onClick={onStop}
            >
              <IconPlayerStopFilled size={16} />
            </ActionIcon>
          </Tooltip>
        ) : (
          <Tooltip label={reason ?? 'Send (Enter)'}>
            <ActionIcon
              type="submit"
              size={34}
              radius="xl"
              variant="filled"
              color="viridian"
              aria-label="Send"
              {...(reason ? { 'data-disabled': true, 'aria-disabled': true } : {})}
            >
              <IconArrowUp size={19} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
    </form>
  )
}
