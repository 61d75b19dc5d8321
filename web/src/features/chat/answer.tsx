import { Loader, Text } from '@mantine/core'
import { memo } from 'react'
import type { Message } from '../../api/types.ts'
import { ArtifactCard } from '../artifacts/artifact-card.tsx'
import { withoutMerged } from '../artifacts/lineages.ts'
import { AnswerFooter } from './answer-footer.tsx'
import { AnswerNotice, hasNotice } from './answer-notice.tsx'
import classes from './messages.module.css'
import { ShownMarkdown } from './shown-markdown.tsx'
import { useAnswer } from './use-live.ts'
import { useVersions } from './use-versions.ts'

interface AnswerProps {
  message: Message
  isLast: boolean
  onContinue: (generationId: string) => void
  onRetry: (generationId: string) => void
}

/** One answer: its text as it grows, what was made, why it ended, and what it took. */
export const Answer = memo(function Answer({ message, isLast, onContinue, onRetry }: AnswerProps) {
  const versions = useVersions(message)
  const answer = useAnswer(versions.shown)
  const canRedo = isLast && !versions.isEarlier
  const isWaiting = answer.isRunning && answer.text === ''
  const id = answer.generation?.id
  return (
    <article className={classes.answer} aria-label="Answer" aria-busy={answer.isRunning}>
      {answer.reasoning && (
        <details className={classes.reasoning}>
          <summary>Reasoning</summary>
          <p>{answer.reasoning}</p>
        </details>
      )}
      {isWaiting ? (
        <Loader size="sm" color="gray" aria-label="Waiting for the answer" my={6} />
      ) : (
        <ShownMarkdown text={answer.text} isGrowing={answer.isRunning} />
      )}
      {answer.isLost && (
        <Text size="sm" c="dimmed" role="status" mt="xs">
          Connection lost. The answer goes on at the server; reconnecting…
        </Text>
      )}
      {(answer.artifacts.length > 0 || answer.making) && (
        <ul className={classes.cards} aria-label="Made in this answer">
          {withoutMerged(answer.artifacts).map(artifact => (
            <li key={artifact.id}>
              <ArtifactCard artifact={artifact} />
            </li>
          ))}
          {answer.making && (
            <li className={classes.making}>
              <Loader size="xs" aria-hidden /> Making {answer.making}…
            </li>
          )}
        </ul>
      )}
      {!answer.isRunning && answer.generation && (
        <>
          <AnswerNotice
            generation={answer.generation}
            hasText={answer.text !== ''}
            onContinue={canRedo && id ? () => onContinue(id) : null}
            onRetry={canRedo && id ? () => onRetry(id) : null}
          />
          <AnswerFooter
            generation={answer.generation}
            text={answer.text}
            versions={versions}
            onRetry={canRedo && id && !hasNotice(answer.generation) ? () => onRetry(id) : null}
          />
        </>
      )}
    </article>
  )
})
