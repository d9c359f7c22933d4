"""What axe-core finds wrong with a page, in a line each: the rules of WCAG 2.2 A and AA, and axe's own best practices."""

OPTIONS = {"resultTypes": ["violations"],
           "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


def violations(response: dict) -> list[str]:
    "A line for each element that breaks a rule; one where no rule was tried"
    if len(response["passes"]) < 5:
        return [f"axe-core: found {len(response['passes'])} rules that hold, expected more: it did not see the page"]
    return [f"{rule['id']}: {' '.join(map(str, node['target']))}: {' '.join(node['html'].split())[:120]}"
            for rule in response["violations"] for node in rule["nodes"]]
