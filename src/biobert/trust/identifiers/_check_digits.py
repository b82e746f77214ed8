"""Check digits of numbers that have them."""

VIN_VALUES = dict(
    zip(
        "0123456789abcdefghjklmnprstuvwxyz",
        (*range(10), *range(1, 9), 1, 2, 3, 4, 5, 7, 9, *range(2, 10)),
        strict=True,
    )
)
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def luhn(digits: str) -> bool:
    """Payment cards, IMEI and, behind 80840, the National Provider Identifier (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def iban(value: str) -> bool:
    """International bank account numbers (ISO 13616): remainder 1 when divided by 97."""
    moved = value[4:] + value[:4]
    return int("".join(str(int(one, 36)) for one in moved)) % 97 == 1


def vin(value: str) -> bool:
    """Vehicle identification numbers of North America (49 CFR 565.15), in lower case."""
    total = sum(VIN_VALUES[one] * weight for one, weight in zip(value, VIN_WEIGHTS, strict=True))
    return value[8] == "0123456789x"[total % 11]


def drug_enforcement(digits: str) -> bool:
    """The seven digits of a registration with the Drug Enforcement Administration."""
    one = [int(digit) for digit in digits]
    return (one[0] + one[2] + one[4] + 2 * (one[1] + one[3] + one[5])) % 10 == one[6]
