"""The interface for programs: `/api/v1`, in JSON, with the rights of the account that a token belongs to.

In: requests with a bearer token. No cookie counts here, so no form of another site can reach anything.
Out: visits, events, reviews and figures as the pages show them; a review that is sent; the OpenAPI document.
"""

from counter_listener.web.api.app import API_ROUTES, PREFIX, make_api
