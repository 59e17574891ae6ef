"""The commands of the pages, as they stand there."""
import re

from .relay import ROOT, check


def blocks(page, heading, language="sh"):
    """The fenced blocks of a section of a page (with its subsections), in order."""
    section = re.split(r"^## ", (ROOT / page).read_text(), flags=re.MULTILINE)
    found = [part for part in section if part.startswith(heading + "\n")]
    check(len(found) == 1, f"{page} has no section {heading}")
    return re.findall(rf"^```{language}\n(.*?)^```", found[0], re.MULTILINE | re.DOTALL)


def unfenced(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """What a link may name behind `#`: ids that are written, and headings as they are shown."""
    headings = re.findall(r"^#+ (.*)$", unfenced(text), re.MULTILINE)
    return set(re.findall(r'<a id="([^"]+)">', text)) | {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(root):
    """The relative links of all pages below `root` that lead nowhere, as text."""
    broken = []
    for page in sorted(root.rglob("*.md")):
        if any(part.startswith(".") for part in page.relative_to(root).parts):
            continue
        for link in re.findall(r"\]\(([^)\s]+)\)", unfenced(page.read_text())):
            path, _, anchor = link.partition("#")
            if "://" in link:
                continue
            target = page.parent / path if path else page
            if not target.exists() or anchor and anchor not in anchors(target.read_text()):
                broken.append(f"{page.relative_to(root)}: {link}")
    return broken
