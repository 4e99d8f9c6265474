"""The pages in the browser: who may see what, sign-in, the server. The only room with FastAPI, Starlette and uvicorn.

In: the record, the accounts, a clock, requests of browsers.
Out: pages in the reader's language, sound in ranges, tables to take away; and what people add to the record.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from counter_listener.web.app import create_app
    from counter_listener.web.live_page import LivePage, serve_page
    from counter_listener.web.notices import send_test
    from counter_listener.web.rights import ROLES, Person, Role
    from counter_listener.web.sending import check_server_file
    from counter_listener.web.server_file import ServerFile, read_server_file
    from counter_listener.web.serving import Address, bind, serve
    from counter_listener.web.settings import Settings
else:  # FastAPI takes 0.4 s, and the processes beside the server need neither it nor the record
    __getattr__, _, _ = lazy_loader.attach(
        __name__,
        submod_attrs={
            "app": ["create_app"],
            "live_page": ["LivePage", "serve_page"],
            "notices": ["send_test"],
            "rights": ["ROLES", "Person", "Role"],
            "sending": ["check_server_file"],
            "server_file": ["ServerFile", "read_server_file"],
            "serving": ["Address", "bind", "serve"],
            "settings": ["Settings"],
        },
    )
