"""Customers and postal addresses."""

from __future__ import annotations

from typing import Any

from syncline.sandbox.shopify.amounts import minor_amount, moment
from syncline.sandbox.shopify.compiler import Call, Items, Resolver, Run, leaf, single, stored
from syncline.sandbox.shopify.connections import listed
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.entities_sales import Address, Customer
from syncline.sandbox.shopify.ids import address_gid, gid
from syncline.sandbox.shopify.resolvers_metafields import metafields_of


def _addresses(call: Call) -> Run:
    first = call.args.get("first")
    child = call.child()
    return lambda customer: [child(address) for address in customer.addresses[:first]]


def _all_addresses(_: Context, _args: dict[str, Any]) -> Items:
    return lambda customer: customer.addresses


def _default_address(customer: Customer) -> Address | None:
    return next((one for one in customer.addresses if one.id == customer.default_address_id), None)


def _orders(context: Context, _: dict[str, Any]) -> Items:
    orders_of = context.store.sales.orders_of
    return lambda customer: orders_of(customer.id)


def _last_order(context: Context) -> Run:
    orders_of = context.store.sales.orders_of
    return lambda customer: max(orders_of(customer.id), key=lambda order: (order.processed_at, order.id), default=None)


def _lifetime(context: Context) -> Run:
    """How long the customer has been one, in words."""
    now = context.store.now
    return lambda customer: f"{(now() - customer.created_at).days} days"


def _spent(context: Context) -> Run:
    store = context.store
    return lambda customer: {
        "amount": minor_amount(store.sales.spent_minor(customer.id)),
        "currencyCode": store.shop.currency,
    }


def _area(address: Address) -> str | None:
    return ", ".join(part for part in (address.city, address.province_code, address.country) if part) or None


def _formatted(call: Call) -> Run:
    with_name, with_company = call.args.get("withName"), call.args.get("withCompany")

    def run(address: Address) -> list[str]:
        place = " ".join(part for part in (address.city, address.province_code, address.zip) if part)
        lines = [
            _name(address) if with_name else None,
            address.company if with_company else None,
            address.address1,
            address.address2,
            place,
            address.country,
        ]
        return [line for line in lines if line]

    return run


def _name(address: Address) -> str | None:
    return " ".join(part for part in (address.first_name, address.last_name) if part) or None


CUSTOMER: dict[str, Resolver] = {
    "id": leaf(lambda customer: gid("Customer", customer.id)),
    "legacyResourceId": leaf(lambda customer: str(customer.id)),
    "firstName": leaf(lambda customer: customer.first_name),
    "lastName": leaf(lambda customer: customer.last_name),
    "displayName": leaf(lambda customer: customer.display_name),
    "email": leaf(lambda customer: customer.email),
    "phone": leaf(lambda customer: customer.phone),
    "defaultEmailAddress": single(lambda _: lambda customer: customer if customer.email else None),
    "defaultPhoneNumber": single(lambda _: lambda customer: customer if customer.phone else None),
    "state": leaf(lambda customer: customer.state),
    "tags": leaf(lambda customer: customer.tags),
    "note": leaf(lambda customer: customer.note),
    "locale": leaf(lambda customer: customer.locale),
    "verifiedEmail": leaf(lambda customer: customer.verified_email),
    "validEmailAddress": leaf(lambda customer: customer.email is not None),
    "taxExempt": leaf(lambda customer: customer.tax_exempt),
    "taxExemptions": leaf(lambda _: []),
    "dataSaleOptOut": leaf(lambda _: False),
    "canDelete": stored(lambda context: lambda customer: not context.store.sales.orders_of_customer.get(customer.id)),
    "multipassIdentifier": leaf(lambda _: None),
    "productSubscriberStatus": leaf(lambda _: "NEVER_SUBSCRIBED"),
    "numberOfOrders": stored(
        lambda context: lambda customer: str(len(context.store.sales.orders_of_customer.get(customer.id, ())))
    ),
    "amountSpent": single(_spent),
    "lifetimeDuration": stored(_lifetime),
    "emailMarketingConsent": single(lambda _: lambda customer: customer if customer.email else None),
    "smsMarketingConsent": single(lambda _: lambda customer: customer if customer.phone else None),
    "lastOrder": single(_last_order),
    "createdAt": leaf(lambda customer: moment(customer.created_at)),
    "updatedAt": leaf(lambda customer: moment(customer.updated_at)),
    "addresses": _addresses,
    "addressesV2": listed(_all_addresses, {None: lambda address: address.id}),
    "defaultAddress": single(lambda _: _default_address),
    "orders": listed(
        _orders,
        {
            "ID": lambda order: order.id,
            "CREATED_AT": lambda order: order.created_at,
            "PROCESSED_AT": lambda order: order.processed_at,
            "UPDATED_AT": lambda order: order.updated_at,
        },
        kind="orders",
    ),
    **metafields_of("Customer"),
}

ADDRESS: dict[str, Resolver] = {
    "id": leaf(lambda address: address_gid(address.id, address.model)),
    "firstName": leaf(lambda address: address.first_name),
    "lastName": leaf(lambda address: address.last_name),
    "name": leaf(_name),
    "company": leaf(lambda address: address.company),
    "address1": leaf(lambda address: address.address1),
    "address2": leaf(lambda address: address.address2),
    "city": leaf(lambda address: address.city),
    "province": leaf(lambda address: address.province),
    "provinceCode": leaf(lambda address: address.province_code),
    "country": leaf(lambda address: address.country),
    "countryCode": leaf(lambda address: address.country_code),
    "countryCodeV2": leaf(lambda address: address.country_code),
    "zip": leaf(lambda address: address.zip),
    "phone": leaf(lambda address: address.phone),
    "formatted": _formatted,
    "formattedArea": leaf(_area),
    "coordinatesValidated": leaf(lambda _: False),
    "latitude": leaf(lambda _: None),
    "longitude": leaf(lambda _: None),
    "timeZone": leaf(lambda _: None),
    "validationResultSummary": leaf(lambda _: None),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "Customer": CUSTOMER,
    "MailingAddress": ADDRESS,
    "CustomerEmailAddress": {
        "emailAddress": leaf(lambda customer: customer.email),
        "marketingState": leaf(lambda customer: customer.email_marketing),
        "marketingOptInLevel": leaf(lambda _: "SINGLE_OPT_IN"),
        "marketingUpdatedAt": leaf(lambda _: None),
        "validFormat": leaf(lambda customer: "@" in customer.email),
    },
    "CustomerEmailMarketingConsentState": {
        "marketingState": leaf(lambda customer: customer.email_marketing),
        "marketingOptInLevel": leaf(lambda _: "SINGLE_OPT_IN"),
        "consentUpdatedAt": leaf(lambda _: None),
    },
    "CustomerSmsMarketingConsentState": {
        "marketingState": leaf(lambda customer: customer.sms_marketing),
        "marketingOptInLevel": leaf(lambda _: "SINGLE_OPT_IN"),
        "consentUpdatedAt": leaf(lambda _: None),
        "consentCollectedFrom": leaf(lambda _: "SHOPIFY"),
    },
    "CustomerPhoneNumber": {
        "phoneNumber": leaf(lambda customer: customer.phone),
        "marketingState": leaf(lambda customer: customer.sms_marketing),
        "marketingOptInLevel": leaf(lambda _: "SINGLE_OPT_IN"),
        "marketingUpdatedAt": leaf(lambda _: None),
    },
}
