import { useLocalStorage } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { request } from '../../api/client.ts'
import type { GenerationRequest, Model } from '../../api/types.ts'
import { shortLabel } from '../../format.ts'

/** How answers are made: kept in this browser. What is null is left to the server. */
export interface ChatSettings {
  model: string | null
  temperature: number | null
  topP: number | null
  topK: number | null
  maxOutputTokens: number | null
}

const initial: ChatSettings = {
  model: null,
  temperature: null,
  topP: null,
  topK: null,
  maxOutputTokens: null,
}

/** What the server uses where nothing is set. */
export const serverDefaults = { temperature: 0.7, topP: 0.95, topK: 40, maxOutputTokens: 8_192 } as const

/** The kept settings, and how to change some of them. */
export function useChatSettings() {
  const [stored, setStored] = useLocalStorage<ChatSettings>({
    key: 'atelier.chat-settings',
    defaultValue: initial,
    getInitialValueInEffect: false,
  })
  const settings = { ...initial, ...stored }
  return {
    settings,
    change: (fields: Partial<ChatSettings>) => setStored({ ...settings, ...fields }),
    resetSampling: () => setStored({ ...initial, model: settings.model }),
  }
}

/** The models that answer here. */
export function useModels() {
  return useQuery({
    queryKey: ['models'],
    staleTime: 5 * 60_000,
    queryFn: async ({ signal }) => (await request<{ models: Model[] }>('/models', { signal })).models,
  })
}

/** The chosen model if it still exists, else the server's default. */
export function chosenModel(models: readonly Model[] | undefined, id: string | null): Model | undefined {
  return models?.find(model => model.id === id) ?? models?.find(model => model.isDefault) ?? models?.[0]
}

/** Gives a model's short name for people; of one that is not offered any more, its id. */
export function useModelLabel(): (id: string) => string {
  const { data } = useModels()
  return id => shortLabel(data?.find(model => model.id === id)?.label ?? id)
}

/** The request's part that comes from the settings. */
export function requestFields(settings: ChatSettings, model: Model | undefined): Partial<GenerationRequest> {
  const fields: Partial<GenerationRequest> = {}
  if (model && !model.isDefault) fields.model = model.id
  if (settings.temperature !== null) fields.temperature = settings.temperature
  if (settings.topP !== null) fields.topP = settings.topP
  if (settings.topK !== null) fields.topK = settings.topK
  if (settings.maxOutputTokens !== null) fields.maxOutputTokens = settings.maxOutputTokens
  return fields
}
