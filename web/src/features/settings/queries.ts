import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { request } from '../../api/client.ts'
import { queryClient } from '../../api/queries.ts'
import { updateAccount } from '../../api/session.ts'
import type { Account, SecurityEvent, Session } from '../../api/types.ts'
import type { CodePurpose, CodeSent } from '../account/calls.ts'
import type { Address } from '../account/rules.ts'

const sessionsKey = ['sessions'] as const
const eventsKey = ['security-events'] as const

/** Where this account is signed in, the last used first. */
export function useSessions() {
  return useQuery({
    queryKey: sessionsKey,
    queryFn: async ({ signal }) => (await request<{ sessions: Session[] }>('/sessions', { signal })).sessions,
  })
}

/** What happened to this account, newest first, page by page. */
export function useSecurityEvents() {
  return useInfiniteQuery({
    queryKey: eventsKey,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ limit: '30' })
      if (pageParam) query.set('cursor', pageParam)
      const path = `/me/security-events?${query}`
      return request<{ events: SecurityEvent[]; nextCursor: string | null }>(path, { signal })
    },
    getNextPageParam: page => page.nextCursor,
  })
}

/** Counts of what this account has, by name. */
export function useStatistics() {
  return useQuery({
    queryKey: ['statistics'],
    queryFn: async ({ signal }) =>
      (await request<{ statistics: Record<string, number> }>('/me/statistics', { signal })).statistics,
  })
}

/** Ends one session, or without an id all but this one. */
export function useEndSessions() {
  return useMutation({
    mutationFn: (id: string | null) =>
      request(id === null ? '/sessions' : `/sessions/${id}`, { method: 'DELETE' }),
    onSettled: refreshSecurity,
  })
}

/** Gives a session a name by which its owner knows the device. */
export async function nameSession(id: string, name: string): Promise<void> {
  await request(`/sessions/${id}`, { method: 'PATCH', body: { name } })
  refreshSecurity()
}

/** Changes names; null removes one. Throws ApiError. */
export async function changeProfile(fields: { name: string | null; username: string | null }): Promise<void> {
  take(await request<{ account: Account }>('/me', { method: 'PATCH', body: fields }))
}

/** Sends a code to the signed-in account, or for a change of address to the new one. */
export function sendOwnCode(purpose: CodePurpose, address: Partial<Record<'email' | 'mobile', string>> = {}) {
  return request<CodeSent>('/codes', { method: 'POST', body: { ...address, purpose } })
}

/** Puts a new address in place of the old one, proven by the code that was sent to it. Throws ApiError. */
export async function changeAddress(
  address: Address,
  proof: { code: string; currentPassword?: string },
): Promise<void> {
  const path = 'email' in address ? '/me/email' : '/me/mobile'
  take(await request<{ account: Account }>(path, { method: 'PUT', body: { ...address, ...proof } }))
}

type PasswordProof = { currentPassword: string } | { verificationToken: string }

/** Sets a new password; all other sessions end. Throws ApiError. */
export async function changePassword(proof: PasswordProof, newPassword: string): Promise<void> {
  await request('/me/password', { method: 'PUT', body: { ...proof, newPassword } })
  const { account } = await request<{ account: Account }>('/me')
  updateAccount(account)
  refreshSecurity()
}

/** Exchanges a code for the token that proves this account's address. Throws ApiError. */
export async function verifyOwnCode(account: Account, purpose: CodePurpose, code: string): Promise<string> {
  const address = account.email ? { email: account.email } : { mobile: account.mobile }
  const body = { ...address, purpose, code }
  const path = '/codes/verify'
  return (await request<{ verificationToken: string }>(path, { method: 'POST', body })).verificationToken
}

/** Erases the account and everything in it. Throws ApiError. */
export async function deleteAccount(proof: { password: string } | { verificationToken: string }) {
  await request('/me', { method: 'DELETE', body: proof })
}

function take({ account }: { account: Account }): void {
  updateAccount(account)
  void queryClient.invalidateQueries({ queryKey: eventsKey })
}

function refreshSecurity(): void {
  void queryClient.invalidateQueries({ queryKey: sessionsKey })
  void queryClient.invalidateQueries({ queryKey: eventsKey })
}
