// What can go wrong between a shop and its bank, by name. A charge asks for its faults in its data, as test cards do:
// `{ "fault": "charge_then_drop,webhook_never" }` or the token `fault:decline`; the faults of operations are set
// beforehand (POST /faults), since nothing of a shopper's reaches them.

export const chargeFaults = {
  decline: 'the card is declined',
  unavailable: 'it cannot charge just now: it refuses, and charges nothing',
  action: 'the shopper has to confirm on a page of the bank',
  drop_before_charge: 'the connection breaks before anything happens, the first time',
  charge_then_drop: 'it charges, and the connection breaks',
  charge_then_500: 'it charges and answers 500, every time',
  delay: 'it charges, and answers after a while; a repeat is answered at once',
  look_up_later: 'it charges, the connection breaks, and a look-up finds nothing for a while',
  key_expired: 'it charges, the connection breaks, and a repeat finds the key forgotten: it is refused',
  other_amount: 'it speaks of an amount that nobody asked for',
  webhook_never: 'no webhook comes',
  webhook_late: 'webhooks come after a while',
  webhook_first: 'the webhook comes before the answer',
  webhook_twice: 'each webhook comes twice',
  webhook_reordered: 'the webhook of the end comes before the one of the beginning',
  dispute: 'the owner of the card disputes the charge at once',
} as const

export const operationFaults = {
  drop_before: 'the connection breaks before anything happens',
  done_then_drop: 'it is done, and the connection breaks',
  done_then_500: 'it is done and answers 500',
  refuse: 'it is refused',
} as const

export type ChargeFault = keyof typeof chargeFaults
export type OperationFault = keyof typeof operationFaults
