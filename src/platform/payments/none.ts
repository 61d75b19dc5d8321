import { AppError } from '../../lib/errors.ts'
import type { Payments } from './index.ts'

/** No payments: everything that needs them is refused, clearly. */
export function createNoPayments(): Payments {
  const refuse = () => {
    throw new AppError('unavailable', 'PAYMENTS_OFF', 'Payments are not set up on this server')
  }
  const refuseLater = async () => refuse()
  return {
    provider: 'none',
    createCustomer: refuseLater,
    removeCustomer: async () => undefined,
    checkout: refuseLater,
    portal: refuseLater,
    checkoutState: async () => null,
    closeCheckout: async () => false,
    subscription: async () => null,
    setCancelAtPeriodEnd: refuseLater,
    undoSubscription: refuseLater,
    chargeOf: async () => null,
    readEvent: refuse,
    close: async () => undefined,
  }
}
