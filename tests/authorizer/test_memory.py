"""What is remembered, and what makes room."""

from concurrent.futures import ThreadPoolExecutor

from authorizer.memory import Memory


def test_the_one_not_asked_for_the_longest_makes_room():
    found: Memory[str, int] = Memory(2)
    found.put("a", 1)
    found.put("b", 2)
    assert found.get("a") == 1
    found.put("c", 3)
    assert [found.get(key) for key in "abc"] == [1, None, 3]


def test_a_value_put_again_is_as_one_asked_for():
    found: Memory[str, int] = Memory(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        found.put(key, value)
    assert [found.get(key) for key in "abc"] == [3, None, 4]


def test_what_is_forgotten_is_gone():
    found: Memory[str, int] = Memory(2)
    found.put("a", 1)
    found.forget("a")
    found.forget("a")
    assert found.get("a") is None


def test_threads_never_make_it_longer_than_it_may_be():
    found: Memory[int, int] = Memory(50)

    def use(start: int) -> None:
        for number in range(2_000):
            key = (start + number) % 120
            found.put(key, key)
            assert found.get(key) in (None, key)
            found.forget(key + 1)
            assert len(found) <= 51

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(use, start * 7) for start in range(8)]:
            done.result()
