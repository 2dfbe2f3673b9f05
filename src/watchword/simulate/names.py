"""Given and family names from many languages, put together at random: no person is meant."""

from random import Random
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN: Final = _words(
    """
    Abena Adaeze Agnieszka Aiko Alba Alessia Amadou Amara Ana Anouk Ari Asel Aster Beatriz Birgit Bogdan Brida Caio Cem Chiara
    Chidi Ciara Dagny Daiki Dalia Danilo Deniz Dinh Dorota Duarte Edda Eero Eilidh Elif Emeka Enzo Esra Farah Femi Filipa Freya
    Gaspar Gita Greta Hana Hamza Heiko Hye-jin Ida Ife Ilse Imani Inês Ioana Ivo Jamila Jiho Joana Jonna Kaia Kamil Keita Kofi
    Laleh Lars Leonor Linh Lior Luca Maarten Mahlet Maja Malik Mareike Mateus Mei Milan Mina Nadim Naoko Nia Nils Noor Oksana Olu
    Oona Oskar Paloma Parisa Pilar Priya Quim Rafa Ragnar Ravi Renske Rin Rosalind Rui Sadia Sanna Sefa Selin Signe Sofie Soraya
    Suda Tariq Teresa Thandi Tiago Timur Tomoko Tove Uma Vasco Veera Wen Wiebke Xenia Yara Yusuf Zain Zofia Zuri
    """
)
FAMILY: Final = _words(
    """
    Abebe Achterberg Adeyemi Almeida Andersson Aoki Aydin Baptista Barros Becher Bello Bergqvist Boateng Brandt Brennan Calloway
    Carvalho Castellan Chaudhry Claes Dahlin Darko Delgado Desai Dijkstra Duarte Dvorak Eklund Engel Eze Falk Farouk Faria Ferrand
    Fonseca Freitag Galli Garrido Goncharuk Guerin Gunnarsson Haddad Hartwig Hashimoto Holm Hossain Ikeda Iversen Jansons Jelinek
    Kamara Karim Kaya Keller Kimura Kowalczyk Kruse Lam Lange Leclerc Lindholm Lopes Lund Machado Mahlangu Malinowski Marchetti
    Mbeki Medeiros Mensah Moreau Nakata Navarro Ndiaye Neves Nguyen Nilsen Nowak Obi Okafor Oliveira Osei Ozturk Park Pereira
    Petersen Pinto Popescu Quist Rahimi Ramires Reyes Ribeiro Rossi Saito Salgado Sato Schaper Serrano Sharma Silveira Sorensen
    Soto Sundaram Szabo Takeda Tavares Teixeira Thorn Tran Uchida Vainio Valente Vega Vermeulen Vidal Voss Wagner Walsh Wendt
    Wójcik Xu Yamada Yilmaz Zabel Zeman
    """
)
_PLAIN: Final = str.maketrans("áàâãäåçéèêëíîïñóôõöøúüýźżłśńąęÁÉÍÓÚÊ", "aaaaaaceeeeiiinooooouuyzzlsnaeAEIOUE")


def distinct_names(count: int, rng: Random) -> list[tuple[str, str]]:
    """Return so many different (given, family) pairs."""
    names: dict[tuple[str, str], None] = {}
    while len(names) < count:
        names[rng.choice(GIVEN), rng.choice(FAMILY)] = None
    return list(names)


def account_of(given: str, family: str, taken: set[str]) -> str:
    """Return a free account name such as ``a.reyes`` or ``a.reyes2``, and take it."""
    stem = f"{given[0]}.{family}".translate(_PLAIN).lower()
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}{number}"
    taken.add(name)
    return name
