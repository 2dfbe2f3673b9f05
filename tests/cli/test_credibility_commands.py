"""``watchword reviews`` and ``watchword gaming`` as they are typed."""


def test_a_house_without_closures_has_nothing_to_review_and_no_question(run, data):
    assert run("--data", str(data), "reviews", "draw").status == 0
    assert run("--data", str(data), "reviews", "list", "--format", "ndjson").out == ""
    assert "0 doubts" in run("--data", str(data), "gaming", "look").err
    assert run("--data", str(data), "gaming", "list", "--format", "ndjson").out == ""


def test_an_answer_needs_its_question(run, data):
    refused = run("--data", str(data), "gaming", "answer", "0" * 32, "nothing behind it")
    assert refused.status == 1
    assert "there is no prompt" in refused.err
