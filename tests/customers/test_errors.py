from customers.errors import FAULTS_LISTED, invalid, shortened
from customers.presentation.problem import problem_json

FAULTS = [(f"field{number}", "Wrong.") for number in range(FAULTS_LISTED + 2)]


def test_a_refusal_lists_a_hundred_faults_and_tells_how_many_more_there_are():
    answer = problem_json(invalid(*FAULTS))
    assert [error["path"] for error in answer["errors"]] == [path for path, _ in FAULTS[:FAULTS_LISTED]]
    assert answer["more_errors"] == 2
    assert answer["detail"].endswith("field99: Wrong. There are 2 more faults.")


def test_a_refusal_of_few_faults_lists_them_all():
    answer = problem_json(invalid(*FAULTS[:FAULTS_LISTED]))
    assert len(answer["errors"]) == FAULTS_LISTED
    assert "more_errors" not in answer


def test_a_shorter_refusal_counts_all_that_it_leaves_out():
    shorter = shortened(invalid(*FAULTS), 1)
    assert (len(shorter.data["errors"]), shorter.data["more_errors"]) == (1, len(FAULTS) - 1)
    assert shortened(shorter, 1) is shorter
