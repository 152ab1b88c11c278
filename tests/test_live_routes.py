"""Templates of routes, where one endpoint has several."""

from __future__ import annotations

from typing import Any

from errorbudget.live.routes import route_template


class Thing:
    """Has what it is given, as routes and routers do."""

    def __init__(self, **given: Any) -> None:
        self.__dict__.update(given)


def test_one_endpoint_under_several_paths() -> None:
    """Told apart by what the path holds, and then by the path; every router has its own."""
    one, other = Thing(), Thing()
    routes = [
        Thing(path="/a/{x}", endpoint=one),
        Thing(path="/b/{x}", endpoint=one),
        Thing(path="/c/{y}", endpoint=one),
        Thing(path="/empty", routes=[]),
        Thing(path="/d", endpoint=other),
    ]
    router, second = Thing(routes=routes), Thing(routes=[Thing(path="/2/{x}", endpoint=one)])

    def told(path: str, router: Any = router, endpoint: Any = one, **given: Any) -> str | None:
        params = given.pop("params", {"x": 1})
        return route_template(
            {"path": path, "router": router, "endpoint": endpoint, "path_params": params, **given}
        )

    for _ in range(2):
        assert told("/a/1") == "/a/{x}"
        assert told("/b/1") == "/b/{x}"
        assert told("/at/b/1", app_root_path="/at") == "/b/{x}"
        assert told("/elsewhere", params={"y": 1}) == "/c/{y}"
        assert told("/elsewhere") is None
        assert told("/a/1", params={"z": 1}) is None
        assert told("/2/1", second) == "/2/{x}"
        assert told("/anything", endpoint=other, params={}) == "/d"
    assert told("/d", endpoint=None) is None
    assert told("/d", router=None) is None
    assert told("/d", router=Thing()) is None
    assert told("/d", endpoint=5) is None  # cannot be remembered
