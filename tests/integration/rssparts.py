"""Feeds made here, and an independent reader of them: xml.etree, html.unescape, email.utils, urllib.

The reader knows nothing of ours: what it says of a feed is what the daemon must have made of it.
"""
import datetime
import email.utils
import hashlib
import html
import re
import urllib.parse
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

ATOM, RSS1 = "{http://www.w3.org/2005/Atom}", "{http://purl.org/rss/1.0/}"
DC, RDF = "{http://purl.org/dc/elements/1.1/}", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
BASE = "{http://www.w3.org/XML/1998/namespace}base"

# Titles as publishers write them: plain, with HTML escaped once or twice, with other scripts.
TITLES = [
    "Apple beats estimates, shares surge", "AT&T & T-Mobile: P/E < 5", "Caf\u00e9 \u20ac5 \u2014 \u201cup\u201d 10%",
    "Fed&#8217;s rate cut", "<b>Breaking</b>: oil plunges", "AT&amp;T&nbsp;rises", "&eacute;lan &frac12; &mdash; dash",
    "Don&amp;#39;t panic", "\u65e5\u7d4c\u5e73\u5747\u304c\u6025\u843d", "line\n  breaks\tand   blanks",
    "Rally \U0001f680 goes on", "x" * 300, "&#150; dash of a page in windows-1252"]
PLAIN = [t for t in TITLES if all(ord(c) < 256 for c in t)]


def text_of(title):
    """What a reader sees."""
    for _ in range(5):
        was = title
        title = html.unescape(re.sub(r"</?[a-zA-Z!][^>]*>", " ", title))
        if title == was:
            break
    return " ".join(title.replace("\xa0", " ").split())


def ident(text):
    text = text.strip()
    whole = len(text.encode()) < 64 and not re.search(r"[\x00-\x20\x7f]", text)
    return text if whole else hashlib.sha256(text.encode()).hexdigest()[:32]


def seconds(text):
    if re.match(r"\d{4}-", text):
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    return email.utils.mktime_tz(email.utils.parsedate_tz(text))


def read(data, url=""):
    """[(id, title, url, second)] in the feed's order."""
    root = ET.fromstring(data)
    out = []
    if root.tag == ATOM + "feed":
        for e in root.iter(ATOM + "entry"):
            link = next(x for x in e.iter(ATOM + "link") if x.get("rel", "alternate") == "alternate")
            base = urllib.parse.urljoin(urllib.parse.urljoin(url, root.get(BASE, "")), e.get(BASE, ""))
            when = e.findtext(ATOM + "updated")
            out.append((ident(e.findtext(ATOM + "id")), text_of("".join(e.find(ATOM + "title").itertext())),
                        urllib.parse.urljoin(base, link.get("href")), seconds(when)))
        return out
    one = root.tag == RDF + "RDF"
    for e in root.iter(RSS1 + "item" if one else "item"):
        ns = RSS1 if one else ""
        key = e.get(RDF + "about") if one else e.findtext("guid")
        out.append((ident(key), text_of(e.findtext(ns + "title")), urllib.parse.urljoin(url, e.findtext(ns + "link").strip()),
                    seconds(e.findtext(DC + "date") if one else e.findtext("pubDate"))))
    return out


def stamp(second, kind):
    when = datetime.datetime.fromtimestamp(second, datetime.timezone.utc)
    return email.utils.format_datetime(when) if kind == "rss" else when.isoformat()


def rss(titles, start, cdata=False, ids="id"):
    items = "".join(
        f"<item><title>{'<![CDATA[' + t + ']]>' if cdata else escape(t)}</title><link>/a/{i}?x=1&amp;y=2</link>"
        f"<guid isPermaLink='false'>{ids}-{i}</guid><pubDate>{stamp(start + 60 * i, 'rss')}</pubDate></item>"
        for i, t in enumerate(titles))
    return ("<rss version='2.0'><channel><title>Wire</title><link>https://wire.example/n/</link>"
            f"<description>d</description>{items}</channel></rss>")


def rdf(titles, start):
    items = "".join(
        f"<item rdf:about='urn:{i}'><title>{escape(t)}</title><link>https://wire.example/r/{i}</link>"
        f"<dc:date>{stamp(start + 60 * i, 'rdf')}</dc:date></item>" for i, t in enumerate(titles))
    return ("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' "
            f"xmlns:dc='http://purl.org/dc/elements/1.1/'>{items}</rdf:RDF>")


def atom(titles, start):
    entries = "".join(
        f"<entry><title type='html'>{escape(t)}</title><link rel='self' href='s'/><link href={quoteattr(f'../{i}?a=1&b')}/>"
        f"<id>https://wire.example/an-id-that-is-longer-than-an-article-has-room-for/{'x' * 40}/{i}</id>"
        f"<updated>{stamp(start + 60 * i, 'atom')}</updated></entry>" for i, t in enumerate(titles))
    return ("<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://wire.example/atom/x/'>"
            f"<title>Wire</title><id>urn:f</id><updated>{stamp(start, 'atom')}</updated>{entries}</feed>")


def encoded(text, name):
    return f"<?xml version='1.0' encoding='{name}'?>{text}".encode("utf-16" if name == "UTF-16" else name)
