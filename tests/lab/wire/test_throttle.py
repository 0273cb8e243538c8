from lab.wire.throttle import Throttle, settings_of


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def rate_and_burst(rate: float, burst: int) -> dict[str, float]:
    return {"throttlingRateLimit": rate, "throttlingBurstLimit": burst}


def test_a_bucket_lets_its_burst_pass_and_fills_at_its_rate() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    limits = {"stageName": "v1", "methodSettings": {"*/*": rate_and_burst(2, 3)}}

    def admitted(count: int) -> list[bool]:
        return [throttle.admits("api", limits, "/widgets", "GET") for _ in range(count)]

    assert admitted(4) == [True, True, True, False]
    clock.seconds = 0.5
    assert admitted(2) == [True, False]
    clock.seconds = 60
    assert admitted(4) == [True, True, True, False]


def test_each_method_has_a_bucket_of_its_own() -> None:
    throttle = Throttle(Clock())
    limits = {"stageName": "v1", "methodSettings": {"*/*": rate_and_burst(1, 1)}}
    assert throttle.admits("api", limits, "/widgets", "GET")
    assert throttle.admits("api", limits, "/widgets", "POST")
    assert not throttle.admits("api", limits, "/widgets", "GET")


def test_without_limits_everything_passes() -> None:
    throttle = Throttle(Clock())
    assert throttle.admits("api", {"stageName": "v1"}, "/widgets", "GET")
    unset = {"stageName": "v1", "methodSettings": {"*/*": rate_and_burst(-1, -1)}}
    assert throttle.admits("api", unset, "/widgets", "GET")


def test_a_methods_own_settings_win_over_the_stages() -> None:
    settings = {"*/*": {"n": 1}, "~1a~1{id}/GET": {"n": 2}, "b/GET": {"n": 3}, "~1/GET": {"n": 4}}
    found = {"methodSettings": settings}
    assert settings_of(found, "/a/{id}", "GET") == {"n": 2}
    assert settings_of(found, "/b", "GET") == {"n": 3}
    assert settings_of(found, "/", "GET") == {"n": 4}
    assert settings_of(found, "/a/{id}", "POST") == {"n": 1}
    assert settings_of({}, "/", "GET") == {}
