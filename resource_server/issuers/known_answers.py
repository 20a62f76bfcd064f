"""A signature known to be good for each algorithm, so that a crippled library ends the start (T26).

OpenSSL's configuration may take algorithms away (a FIPS provider does); then every token would be refused as forged.
The keys' private halves were thrown away.
"""

import binascii
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from resource_server.configuration_error import ConfigurationError
from resource_server.issuers import jwk_set

Answer = tuple[Mapping[str, Any], str]
"""A public key (JWK), and what it has signed of :data:`SIGNED`, as base64url."""

SIGNED: Final = b"known answer"

_STANDARD: Final = str.maketrans("-_", "+/")

_RSA = {
    "kty": "RSA",
    "e": "AQAB",
    "n": (
        "sGPzt45PDRAJ2IskdMGrjxEa9fAADZ9MFpmPduTwaAjUlo0956k9G4atmhlQAT1vRNESoTpicz0DhIkSpkDF861C3xsG3FStaxssVcrd"
        "F7zdQbAPLA6qExpW8JWYew7K7vcJKtHbpG9oVYkzCCc61j4ZrOrIw0M7jn4tWQUgWDxj7LlrR_bn_0tcCxHMNhqmAdfrPgjnrYJQBs-s"
        "QJwJosz_PPaKrkg9LqQRihw-znXOS-0pMPJ6mS9JqM37GiSJb2rMwd4ElCflhgrYaLfyJPMqmgLsTBIRmtWQWkYW00nMStiD7pGp8BAJ"
        "WzVqrRVBPOHgOqgYL4TIcRsWdvkffQ"
    ),
}
_P256 = {
    "kty": "EC",
    "crv": "P-256",
    "x": "542jQK2DqPnmB7pzsKNutjo7l2XYbaNZaJqK9pc5gSM",
    "y": "GSgGN6OQHRNkWgX0mSc130273YHK3LAnowTFZEQHzJ8",
}
_P384 = {
    "kty": "EC",
    "crv": "P-384",
    "x": "mNDGZxy1MdimivKE7FZCNcj6yZJ1fRl6_1UcHNEyjT_TGRR7C1fK0rGTpHjfHZZb",
    "y": "Zmix2cT2J2tflAYZxYxmFIWAcP2abiEIBcsYTw_psj1YVRZjRskmA8wPwbbHkm7c",
}
_P521 = {
    "kty": "EC",
    "crv": "P-521",
    "x": "Ab_ftK1IWPbSYT1C71DeZrV5FO643JS0ZgII_QPfIDc87g0oGnjEVS5745nmGI-w_YlZ7y_RM4nGI0L63LpiqZQb",
    "y": "Ad36Z4bMoGmoxg5BalfDatFs0tH6J6Itk1K6trhqhZVgb-4GSmtnWIaIXYVAlGE7c8h_CYm_4klRoeDoA21MKD_l",
}
_ED25519 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "slZt_iGgULlFhT0LjCjvQWAF6ymEZkW2lPDHEhHNhvE",
}

ANSWERS: Final[Mapping[str, Answer]] = MappingProxyType(
    {
        "RS256": (
            _RSA,
            (
                "a9fe6fJOuN-5nUBppX2_xeVlPGF3_ck2nGnclaXSNXFOiWdp7lNLcIVX0SoFJ64hDA0OF6U1RT0qvl9HixF5ag8-oWSHIiAyaQ5CfxCQ"
                "iydtZk0X2YjzA-Sqp7KKYmtHkF0j91ym_1OPRk60qRdmX-ufQi8nJtEeyFi6PhWGOkVt3NCDhm_facFFzTdkXEaLDxcfLqDMoabzPTcv"
                "fZ4gUPouk7BcTToarfHSaL1kLMyMQHfPGsH9wi2T7CTyFsgYq3JhTV9g0xA8eYD7-wTOz7Zbdp-VEu9wI3sEXb3dX4K4MPPnnqCGdVpx"
                "4EMQpnVvY9cGh7lqjWLC3xTSUutaSw"
            ),
        ),
        "RS384": (
            _RSA,
            (
                "GOEv-C__kfgIRb21EZUwaqR82RNDkS7UqYR_Tpg6qxPK-dpYeHDd65IM_XmIA4vi7704uw6dTAEJDS-Fj8FeIviLjG41tKPsIishEcHL"
                "5BPZw7cZZOwPyXhCx41ItPyPSeWa-BaBr0sdQQYpmTJaudZi8psPbpKpi7DJ-KfIW8f8I76VjBtyziDB_opicgBcJ95pV2imXQEbD_Qi"
                "Cao5ZxhtcgBKkiVuiWnXRQT9d8FmEnAuENvuhq4rrjr3-948l4nQlSEumUjFWbE2iVfpne0F-GWUyALcA4FCH74P10tPF3yygma5bywC"
                "FcZtNL_wcT8pDLFhjmNVmslO_T64sA"
            ),
        ),
        "RS512": (
            _RSA,
            (
                "g3y3CyJUg9c31a-BX4dyhpnqkQxwVYEWORz9bCYwjKIDyCcnpCa1AddRhbOjujSnFHTPNA301aSNcOvOJ0o5KURYrl0UqcHdzNhdSjxQ"
                "qv9chpVn225h7WrhFYwZolNf2EoP_TP2k8Q6Hlje3zYD6mJBk27IPU__kGcZvtdQnWZCje5ncU82yJOz0VFUFl7OA_TeF4ealaPRWbTW"
                "_bhj3qcUWXa-WGyGIptB8oSELQS8NQ0nhUsRL2_Ylzpvw5erMbynlLrTRRB4Fx0Z8jgV8-xKeZRAa2aUTRuRw6Nhx4MxAnQyfpFf7qtT"
                "v_dR3AsSsbfrzhfWDi0VeqPJhf_GTQ"
            ),
        ),
        "PS256": (
            _RSA,
            (
                "SEf4HNVB706JcCEhJPV1zc4-muVcS4p651EiLLP_PscRNaSKsikoMJILPanqUitHSQdH47YXCkeUE8gpPXRXODOqYBYCFMh0cExSB7TY"
                "mZc83CFZdMzhVsYBMZW6PMTP7kf9Sw4eKghZn7rctKeplT5LZvWlP7YpvwYO2Xa2qJ70X-ildLueYl8SZQNnvxW7jn3isJKyOJeqRgVb"
                "w2FhH7XI_06R1y6jhrsXUfW6B9LWQT7zhBUn01CGKTX93TDDCNpF26LR5kyQjpMwH8j66eoiFndcyLSaquvI6n32aDRoZM_MsWKEifHo"
                "UPc-8uTcHC-X9WvChY3D1u1hhWBbSA"
            ),
        ),
        "PS384": (
            _RSA,
            (
                "n2qFJrBdkrSbaAgpT-LtHoCKzcePhDARG2MsszOn5Zc8wtHH7Y4FTfHPfdhXOW0CJJp0670EsNX0UcscngFAIuI-Yin2X3fgFxRbSDv9"
                "2OZv0fjNGrpaMulpwUDVkQd99xwC99C0r7TEyA4zbPiPtUqTXc6e1aLm5JKFTh5lCieWhdHMvaFEvLlvnfKXXsNU-sKEHBGozNxSCKUk"
                "JyQ5r-G1a4b251LIbjv3AJmbJhnjfPztcOT-qUDiApF_QpkXPzrANQT589gst38yRIjNY0r1BUGujGke78hvXv0kxeyibRyiML5-guB5"
                "at1ENeD2972xTA_gyGHG-NHTUoT41w"
            ),
        ),
        "PS512": (
            _RSA,
            (
                "M7DGPhhsVh--Bm1B86JGK4Xw_jucfsTFZ1LoBygIxFyZ_Unb5hiajyY856ET5DKC6yf94q699_JYUieBRHsLUL73G7qxL1B7n54DCirE"
                "BSEaRL_KijiLLYCAEEajEm9MDpqJolIC9R5K5eeRZ_EeDCfVTvIdkPXdT-H4RO2aQ4yPDio5QV_Xze9mKxRlj6wJ5OBucUzl2POBwyug"
                "8ZrJt2XwBSVJyPq9Hweso3W33AcvLS1KFK0Ah25UeKnqEKmdqeioen0FWWA95v1-Vo-kFs6hvZD4h3KCZrrV__whkkkpm7dLZ0Fd2X2G"
                "VSzcbOmSgFwZkXH5eatVlFSJSVcokw"
            ),
        ),
        "ES256": (_P256, ("osXjScdCkGnd2cgfiGeiq4V_9LmjRuKwqE8uS4bewlEc2V2nAyczda-MlxnUhx3O1WHWRYUZ9CDyaVAtQB_12A")),
        "ES384": (
            _P384,
            (
                "whCfPuwN5Q1jdO-uBsZh1c-gq99wU4WcfB9Q8YuPuW0wSDRHLL66mJtXz4NUo9YcBGEIMasdOtdqLOTPCGqEy1fQxZhFrzCDWNVAAFnB"
                "gE-xxD6-06YQusuKl8qMlOJp"
            ),
        ),
        "ES512": (
            _P521,
            (
                "AS6nLPdL3VgYiQUqKEKbTPqCF2jbWZXbw14ay_MUy4pyfObpG5cZpD6XdbwBrtL1epAOpN_RIB-LQl8QJDJxIfcGALd7cVSbvIF9xDys"
                "QoCNu4fuA9yz8eeEJm8deGnsJ2WbsP4dcfHRyQAqnFbGeDHOZbjniJOW4UIIuUTzW-e9tBcI"
            ),
        ),
        "Ed25519": (
            _ED25519,
            ("TKCqlTMogucjjCRUd2gDzCWVxdoLkO9Zrm8Wv_5g_YAJqX6VjGucSQ9GiPEGSQHOczVAXe0pnfxboMqS86HYDQ"),
        ),
        "EdDSA": (_ED25519, ("TKCqlTMogucjjCRUd2gDzCWVxdoLkO9Zrm8Wv_5g_YAJqX6VjGucSQ9GiPEGSQHOczVAXe0pnfxboMqS86HYDQ")),
    }
)


def check(
    names: Iterable[str], answers: Mapping[str, Answer] = ANSWERS, read: Callable[..., jwk_set.JwkSet] = jwk_set.read
) -> None:
    """Verify a good and a bad signature by each algorithm. Raises :class:`ConfigurationError` for the first that fails.

    Takes about a millisecond each; what was tried once is not tried again in this process. ``read`` makes the key: by
    default as for every token.
    """
    for name in names:
        jwk, signature = answers[name]
        fault = _fault(name, tuple(jwk.items()), signature, read)
        if fault is not None:
            raise ConfigurationError(
                "algorithms",
                f"names {name}, which the cryptographic library of this machine {fault}: leave it out, or mend "
                "OpenSSL's configuration (OPENSSL_CONF, a FIPS provider)",
            )


@cache
def _fault(
    name: str, jwk: tuple[tuple[str, Any], ...], signature: str, read: Callable[..., jwk_set.JwkSet]
) -> str | None:
    good = binascii.a2b_base64(signature.translate(_STANDARD) + "==")
    try:
        key = read({"keys": [dict(jwk)]}, [name]).find(None, name)
        if key is None or not key.verify(SIGNED, good):
            return "can't verify"
        return "verifies even where nothing was signed" if key.verify(SIGNED + b"!", good) else None
    except Exception as error:  # noqa: BLE001 - a crippled library raises whatever it likes, and is told of by its kind
        return f"can't verify ({type(error).__name__})"
