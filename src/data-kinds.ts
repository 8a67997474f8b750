// Which data of people the shop keeps, and where: each column of each table has its kind. A test fails on a column that
// is not here. The audit log keeps no value of what is not `none` or `reference`; erasure and export
// (src/modules/privacy) are held against it: docs/privacy.md.

export const kinds = {
  none: 'No data of a person',
  reference: 'An id or hash that leads to a person only together with another table',
  name: 'Names of people',
  contact: 'E-mail addresses and telephone numbers',
  address: 'Postal addresses, with the names in them',
  network: 'Addresses of devices in the network, and what browsers say of themselves',
  text: 'Free text or whole documents, in which somebody may be named',
  secret: 'Passwords, tokens and keys, hashed or not: never shown',
} as const
export type Kind = keyof typeof kinds

type Columns = { [kind in Kind]?: string }

/** By table; columns are separated by blanks. */
export const dataKinds: Record<string, Columns> = {
  'platform.migration': { none: 'module name hash at' },
  'platform.idempotency_key': { none: 'route created_at', reference: 'principal key body_hash result_id' },
  'platform.secret': { none: 'singleton', secret: 'value' },
  'platform.audit_log': {
    none: 'id at actor_kind route request_id', reference: 'actor_id target', secret: 'origin_mark',
  },
  'platform.audit_origin': { none: 'entry_id', network: 'address', secret: 'salt' },
  'platform.audit_change': { none: 'id entry_id table_name before after', reference: 'row_key' },
  'platform.audit_unsealed': { none: 'entry_id' },
  'platform.audit_seal': { none: 'number entry_id hash sealed_at' },
  'platform.audit_head': { none: 'singleton number hash' },
  'platform.event': { none: 'id type created_at available_at relayed_at', reference: 'payload' },
  'platform.job': { none: 'event_id handler attempts run_at given_up_at', text: 'last_error' },
  'platform.invalidation': { none: 'id tags transaction_id at' },
  'platform.terms_change': { none: 'transaction_id at' },

  'media.asset': { none: 'id key content_hash filename animated files created_at touched_at' },
  'media.asset_use': { none: 'used_by asset_id' },
  'media.unclaimed': { none: 'key due_at' },
  'notifications.message': {
    none: 'id template locale state attempts created_at due_at sent_at', contact: 'recipient', text: 'data last_error',
  },

  'identity.role': { none: 'code name permissions system created_at refund_limits discount_limit_ppm second_factor' },
  'identity.staff': {
    none: 'id role_code active created_at channel_ids location_ids company_ids', name: 'name', contact: 'email',
    secret: 'password_hash',
  },
  'identity.session': {
    none: 'id created_at last_seen_at expires_at proven_at', reference: 'staff_id', network: 'address user_agent',
    secret: 'token_hash',
  },
  'identity.totp': { none: 'confirmed_at last_step', reference: 'staff_id', secret: 'secret' },
  'identity.recovery_code': { reference: 'staff_id', secret: 'code_hash' },
  'identity.passkey': {
    none: 'id counter transports name synced created_at last_used_at', reference: 'staff_id credential_id public_key',
  },
  'identity.passkey_challenge': { none: 'expires_at', reference: 'staff_id', secret: 'challenge_hash' },
  'identity.viewing': { none: 'until', reference: 'session_id staff_id' },
  'identity.one_time_token': {
    none: 'purpose expires_at', reference: 'staff_id', contact: 'email', secret: 'token_hash browser_hash',
  },
  'identity.sign_on_attempt': { none: 'provider expires_at', secret: 'state_hash browser_hash' },
  'identity.sign_on_account': { none: 'provider created_at', reference: 'subject staff_id' },
  'identity.secret_key': {
    none: 'id prefix name permissions created_at expires_at last_used_at revoked_at channel_ids location_ids ' +
      'company_ids refund_limits discount_limit_ppm addresses replaced_by', reference: 'created_by',
    secret: 'token_hash',
  },
  'identity.publishable_key': { none: 'id key channel_id name created_at revoked_at' },
  'identity.known_origin': { none: 'last_at', reference: 'mark' },
  'identity.request_count': { none: 'minute requests', network: 'subject' },
  'identity.rate_limit': { none: 'drained_at capacity', reference: 'key' },

  'catalog.channel': {
    none: 'id code name currencies default_currency default_locale country prices_include_tax active version ' +
      'created_at updated_at',
  },
  'catalog.attribute': { none: 'code name kind choices filterable' },
  'catalog.product': {
    none: 'id handle title description_html vendor type tags status tax_class seo_title seo_description options ' +
      'attributes metadata version created_at updated_at',
  },
  'catalog.product_image': { none: 'id product_id asset_id url alt position' },
  'catalog.variant': {
    none: 'id product_id options title position sku barcode weight_grams requires_shipping tax_class image_id active ' +
      'metadata created_at',
  },
  'catalog.publication': { none: 'product_id channel_id published_from published_until changes_at' },
  'catalog.category': { none: 'id parent_id path handle name description_html position active version' },
  'catalog.product_category': { none: 'product_id category_id' },
  'catalog.collection': { none: 'id handle title description_html kind active version created_at' },
  'catalog.collection_product': { none: 'collection_id product_id position' },
  'catalog.former_handle': { none: 'kind handle target_id since' },
  'catalog.product_search': { none: 'product_id active facets document' },
  'catalog.search_word': { none: 'word' },

  'shipping.zone': { none: 'id name created_at' },
  'shipping.zone_country': { none: 'country zone_id' },
  'shipping.method': {
    none: 'id zone_id channel_id code name description kind tax_class position active created_at',
  },
  'shipping.rate': { none: 'method_id currency from_value amount_minor' },

  'inventory.location': { none: 'id code name priority active created_at' },
  'inventory.item': { none: 'variant_id tracked' },
  'inventory.stock': { none: 'variant_id location_id on_hand reserved backorder_limit' },
  'inventory.reservation': {
    none: 'id variant_id location_id quantity shipped state expires_at created_at', reference: 'order_id',
  },
  'inventory.movement': {
    none: 'id variant_id location_id quantity cause created_at', reference: 'actor', text: 'reference',
  },
  'inventory.stock_change': { none: 'id variant_id' },

  'browse.offered_product': { none: 'product_id checked_at' },
  'browse.offer': { none: 'product_id channel_id currency prices prices_in_stock lowest highest in_stock' },

  'pricing.price_list': { none: 'id channel_id currency name priority starts_at ends_at announced_at created_at' },
  'pricing.price': { none: 'variant_id price_list_id min_quantity unit_minor per_units compare_at_minor' },
  'pricing.tax_rate': { none: 'id country region tax_class rate_ppm name' },
  'pricing.promotion': {
    none: 'id name kind rate_ppm amount_minor currency automatic combines priority channel_id product_ids ' +
      'minimum_subtotal_minor starts_at ends_at active use_limit use_limit_per_customer created_at',
  },
  'pricing.coupon': { none: 'id promotion_id code starts_at ends_at active use_limit batch_id created_at' },
  'pricing.use_count': { none: 'promotion_id used use_limit', reference: 'scope' },
  'pricing.coupon_use': { none: 'promotion_id state created_at', reference: 'order_id scope' },

  'payments.payment': {
    none: 'id currency amount_minor closed authorized_minor capturing_minor captured_minor refunding_minor ' +
      'refunded_minor created_at country channel stored_value_id', reference: 'order_id',
  },
  'payments.attempt': {
    none: 'id payment_id method gateway state capture next_check_at checks created_at sent_again_at lost ' +
      'technical',
    reference: 'reference',
    text: 'data action_url return_url reason',
  },
  'payments.stored_value': {
    none: 'id kind currency balance_minor ending active expires_at created_at', reference: 'customer_id', text: 'note',
    secret: 'code_hash',
  },
  'payments.stored_value_entry': {
    none: 'id stored_value_id kind amount_minor at', reference: 'order_id', text: 'note',
  },
  'payments.circuit': { none: 'gateway state reason times opened_at try_at' },
  'payments.operation': {
    none: 'id payment_id attempt_id kind amount_minor state cause next_check_at checks created_at',
    reference: 'reference', text: 'note reason',
  },
  'payments.decision': {
    none: 'id case_id kind decision actor_kind at', reference: 'order_id actor_id', text: 'evidence about',
  },
  'payments.transfer': {
    none: 'id booked_on currency amount_minor applied_minor returned_minor created_at', reference: 'bank_reference',
    name: 'payer', text: 'remittance',
  },
  'payments.transfer_use': { none: 'id transfer_id payment_id amount_minor created_at', text: 'note' },
  'payments.ledger_entry': {
    none: 'id source_type kind currency at', reference: 'source_id order_id payment_id', text: 'note',
  },
  'payments.ledger_line': { none: 'entry_id account amount_minor' },
  'payments.webhook_event': {
    none: 'gateway event_id about account amount_minor currency state tries next_try_at received_at',
    reference: 'key reference', text: 'reason note',
  },

  'orders.order': {
    none: 'id number channel_id state currency prices_include_tax delivery promotions subtotal_minor shipping_minor ' +
      'discount_minor tax_minor total_minor payment_method holds_until created_at placed_at closed_at ' +
      'refunded_shipping_minor',
    reference: 'customer_id', contact: 'email', address: 'shipping_address billing_address', secret: 'token_hash',
  },
  'orders.line': {
    none: 'position variant_id product_id sku product_title variant_title image_url requires_shipping weight_grams ' +
      'quantity unit_minor per_units tax_rate_ppm subtotal_minor discount_minor tax_minor total_minor ' +
      'refunded_quantity refunded_minor',
    reference: 'order_id',
  },
  'orders.refund': { none: 'id state shipping_minor amount_minor created_at stored_minor', reference: 'order_id' },
  'orders.refund_line': { none: 'refund_id position quantity amount_minor' },
  'orders.timeline_entry': { none: 'id at kind', reference: 'order_id actor', text: 'data' },

  'customers.customer': {
    none: 'id tags created_at updated_at', reference: 'subject', name: 'name', contact: 'email phone', text: 'note',
  },
  'customers.address': {
    none: 'id position default_shipping default_billing', reference: 'customer_id', text: 'label', address: 'address',
  },
  'customers.group': { none: 'id code name' },
  'customers.membership': { none: 'group_id', reference: 'customer_id' },
  'customers.segment': { none: 'id name rule' },
  'customers.purchase': { none: 'currency total_minor placed_at', reference: 'order_id customer_id' },
  'customers.purchase_total': { none: 'currency orders spent_minor last_at', reference: 'customer_id' },
  'customers.consent': { none: 'id purpose granted wording source at', reference: 'subject' },

  'accounts.account': {
    none: 'email_proven_at created_at', reference: 'customer_id', contact: 'email', secret: 'password_hash',
  },
  'accounts.former_email': { none: 'id until', reference: 'customer_id', contact: 'email' },
  'accounts.session': {
    none: 'id created_at last_seen_at expires_at proven_at', reference: 'customer_id', network: 'address user_agent',
    secret: 'token_hash',
  },
  'accounts.link': {
    none: 'id purpose expires_at', reference: 'customer_id', contact: 'email', secret: 'token_hash browser_hash',
  },
  'accounts.passkey': {
    none: 'id counter transports name synced created_at last_used_at',
    reference: 'customer_id credential_id public_key',
  },
  'accounts.passkey_challenge': { none: 'expires_at', reference: 'customer_id', secret: 'challenge_hash' },
  'accounts.sign_on_account': { none: 'provider created_at', reference: 'subject customer_id' },

  'privacy.request': { none: 'id kind counts at', reference: 'subject' },

  'checkout.cart': {
    none: 'id channel_id currency lines shipping_method_id coupon_codes created_at updated_at expires_at',
    reference: 'order_id customer_id', contact: 'email', address: 'shipping_address billing_address',
    secret: 'token_hash',
  },
}

/** The kind of each column of a table; undefined for a table that nobody has told of. */
export function kindsOf(table: string): Map<string, Kind> | undefined {
  const columns = dataKinds[table]
  if (!columns) return undefined
  return new Map(Object.entries(columns).flatMap(
    ([kind, names]) => names.split(' ').map((name): [string, Kind] => [name, kind as Kind])))
}
