// What staff may ask of privacy.
export { adminRoutes } from './person-routes.ts'
