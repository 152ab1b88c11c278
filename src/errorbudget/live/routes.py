"""
The template of the route that a Starlette application took, from the root of the site.

Starlette says which endpoint it chose, and newer releases which route; neither tells the templates
of the mounts above. So the routes are walked once for each endpoint, and remembered with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary, ref

__all__ = ["route_template"]

_Route = tuple[str, frozenset[str], re.Pattern[str]]

_taken: WeakKeyDictionary[Any, tuple[ref[Any], list[_Route]]] = WeakKeyDictionary()


def _walk(routes: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for route in routes:
        path = prefix + getattr(route, "path", "")
        inner = getattr(route, "routes", None)
        if inner:
            yield from _walk(inner, path)
        else:
            yield path, route


def _routes_to(endpoint: Any, router: Any) -> list[_Route]:
    known = _taken.get(endpoint)
    if known is not None and known[0]() is router:
        return known[1]
    from starlette.routing import compile_path

    found = []
    for path, route in _walk(router.routes, ""):
        if getattr(route, "endpoint", None) is endpoint:
            pattern, _, convertors = compile_path(path)
            found.append((path, frozenset(convertors), pattern))
    _taken[endpoint] = (ref(router), found)
    return found


def route_template(scope: Mapping[str, Any]) -> str | None:
    """
    The template of the route taken, such as `/shop/{tenant}/items/{item}`; None where unknown.

    Args:
        scope: The ASGI scope of a request, after Starlette or FastAPI chose its endpoint.

    Time: O(1), and O(routes) for an endpoint that was not asked before.
    """
    router, endpoint = scope.get("router"), scope.get("endpoint")
    if endpoint is None or not hasattr(router, "routes"):
        return None
    try:
        routes = _routes_to(endpoint, router)
    except TypeError:  # an endpoint of a kind that cannot be remembered
        return None
    names = frozenset(scope.get("path_params", ()))
    fitting = [route for route in routes if route[1] == names]
    if len(fitting) > 1:  # one endpoint under several paths
        path = scope["path"].removeprefix(scope.get("app_root_path", ""))
        fitting = [route for route in fitting if route[2].match(path)]
    return fitting[0][0] if fitting else None
