"""Versions as hypothesis makes them, in the forms that each ecosystem publishes."""

from hypothesis import strategies as st

numbers = st.integers(0, 12).map(str)
words = st.sampled_from(("alpha", "beta", "rc"))
releases = st.tuples(numbers, numbers, numbers).map(".".join)
prereleases = st.builds("{}-{}.{}".format, releases, words, numbers)
semantic = st.one_of(
    releases,
    prereleases,
    st.builds("{}-{}".format, releases, st.sampled_from(("0", "x", "x.y", "1.x", "-"))),
    st.builds("{}+build.{}".format, releases, numbers),
)
dotted = st.lists(numbers, min_size=1, max_size=4).map(".".join)
pep440 = st.builds(
    "{}{}{}{}".format,
    dotted,
    st.sampled_from(("", "a1", "b2", "rc1")),
    st.sampled_from(("", ".post1", ".post2")),
    st.sampled_from(("", ".dev1", ".dev2")),
)
maven = st.builds(
    "{}{}".format,
    dotted,
    st.sampled_from(
        ("", "-SNAPSHOT", "-alpha-1", "-beta2", "-rc1", "-RC2", "-ga", ".Final", "-sp1", "-jre", "-1")
    ),
)
composer = st.builds(
    "{}{}".format,
    st.lists(numbers, min_size=1, max_size=4).map(".".join),
    st.sampled_from(("", "-alpha1", "-beta2", "-RC3", "-p1", "-dev", "-alpha1-dev")),
)
hashes = st.text("0123456789abcdef_", min_size=8, max_size=12)
jenkins = st.one_of(
    dotted,
    st.builds("{}.v{}".format, st.integers(1, 400), hashes),
    st.builds("{}-{}.v{}".format, releases, st.integers(1, 400), hashes),
    st.builds("{}{}".format, releases, st.sampled_from(("-rc1", "-beta-2", "-alpha-1", "-SNAPSHOT", "-1"))),
)
ckan = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(("", "1:", "2:")),
    st.sampled_from(("", "v", "V", "release-", "beta ")),
    dotted,
    st.sampled_from(("", "a", "b", "-beta", ".repackaged", " (Beta)", "_hotfix2")),
)
any_ckan = st.text("0123456789.:abvV-_ ", min_size=1, max_size=12).filter(lambda text: not text.endswith(":"))
generic = st.builds(
    "{}{}{}".format,
    st.sampled_from(("", "v")),
    dotted,
    st.sampled_from(("", "-alpha1", "b2", "-rc.1", "-patch2", "-dev", "x", "+build7")),
)
