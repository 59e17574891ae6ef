"""The commands of the pages, as they stand there."""
import re

from relaykit import ROOT, check


def blocks(page, heading, language="sh"):
    """The fenced blocks of a section of a page (with its subsections), in order."""
    section = re.split(r"^## ", (ROOT / page).read_text(), flags=re.MULTILINE)
    found = [part for part in section if part.startswith(heading + "\n")]
    check(len(found) == 1, f"{page} has no section {heading}")
    return re.findall(rf"^```{language}\n(.*?)^```", found[0], re.MULTILINE | re.DOTALL)
