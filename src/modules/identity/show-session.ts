// A session as its owner sees it in a list, of staff and of customers: on which device, and from which network.
import { Type, type Static } from 'typebox'
import { Session } from './identity.ts'
import { deviceName, placeOf } from './internal/device-name.ts'

const { device, place, ...stored } = Session.properties
export const SessionRow = Type.Object(stored)

export const shownSession = (row: Static<typeof SessionRow>): Static<typeof Session> => (
  { ...row, device: deviceName(row.userAgent), place: placeOf(row.address) })
