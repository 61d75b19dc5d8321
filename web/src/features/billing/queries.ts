import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { request } from '../../api/client.ts'
import { queryClient } from '../../api/queries.ts'
import { updateAccount } from '../../api/session.ts'
import type { Account } from '../../api/types.ts'

export interface Plan {
  id: string
  name: string
  description: string
  priceCents: number
  currency: string
  features: string[]
  limits: { dailyMessages: number; monthlyCredits: number }
}

export interface CreditPackage {
  id: string
  name: string
  credits: number
  priceCents: number
  currency: string
}

export interface Subscription {
  plan: string
  status: string
  currentPeriodEnd: string | null
  cancelAtPeriodEnd: boolean
}

export interface Payment {
  id: string
  kind: 'package' | 'plan'
  item: string
  status: 'open' | 'paid' | 'failed' | 'refunded' | 'disputed'
  amountCents: number
  refundedCents: number
  currency: string
  credits: number
  failure: string | null
  createdAt: string
}

export interface Entry {
  id: string
  kind: string
  amountMicroCredits: number
  balanceMicroCredits: number
  note: string | null
  createdAt: string
}

const billingKey = ['billing'] as const

function useRead<Data>(path: string) {
  return useQuery({
    queryKey: [...billingKey, path],
    queryFn: ({ signal }) => request<Data>(path, { signal }),
  })
}

export const usePlans = () => useRead<{ plans: Plan[] }>('/plans')
export const usePackages = () => useRead<{ provider: string; packages: CreditPackage[] }>('/billing/packages')
export const useSubscription = () => useRead<{ subscription: Subscription | null }>('/billing/subscription')
export const useCredits = () => useRead<{ credits: number }>('/credits')

function usePages<Page extends { nextCursor: string | null }>(path: string, query: Record<string, string>) {
  return useInfiniteQuery({
    queryKey: [...billingKey, path, query],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => {
      const search = new URLSearchParams({
        limit: '20',
        ...query,
        ...(pageParam ? { cursor: pageParam } : {}),
      })
      return request<Page>(`${path}?${search}`, { signal })
    },
    getNextPageParam: page => page.nextCursor,
  })
}

/** Every change of the balance, or those of one kind, the newest first. */
export const useHistory = (kind: string) =>
  usePages<{ entries: Entry[]; nextCursor: string | null }>('/credits/history', kind ? { kind } : {})

/** What was paid, and what was tried in vain. */
export const usePayments = () =>
  usePages<{ payments: Payment[]; nextCursor: string | null }>('/billing/payments', {})

/** Leads to the page where a plan or a package is paid. Throws ApiError. */
export async function beginCheckout(wish: { plan: string } | { packageId: string }): Promise<void> {
  leaveFor((await request<{ url: string }>('/billing/checkout', { method: 'POST', body: wish })).url)
}

/** Leads to the provider's page for the subscription. Throws ApiError. */
export async function openPortal(): Promise<void> {
  leaveFor((await request<{ url: string }>('/billing/portal', { method: 'POST' })).url)
}

function leaveFor(url: string): void {
  location.assign(url)
}

/** Lets the subscription end with its month, or go on after all. Throws ApiError. */
export async function setCancelling(cancel: boolean): Promise<void> {
  await request(`/billing/subscription/${cancel ? 'cancel' : 'reactivate'}`, { method: 'POST' })
  await refreshBilling()
}

/** Reads anew all that a payment may have changed. */
export async function refreshBilling(): Promise<void> {
  updateAccount((await request<{ account: Account }>('/me')).account)
  await Promise.all([
    queryClient.invalidateQueries({ queryKey: billingKey }),
    queryClient.invalidateQueries({ queryKey: ['entitlements'] }),
  ])
}
