"""Invented names and streets of the demo, as they go together in the Netherlands. Nobody here exists."""

# ruff: noqa: RUF001 (Turkish has a dotless i)
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Community:
    """Names as they go together; a name may have a shorter one after "/". Surnames may have a prefix before "|"."""

    weight: int
    men: tuple[str, ...]
    women: tuple[str, ...]
    surnames: tuple[str, ...]
    nationality: str = "Nederlandse"
    language: str = "Nederlands"


def _list(text: str) -> tuple[str, ...]:
    """Words apart by spaces; a space within a name is written as "_"."""
    return tuple(word.replace("_", " ") for word in text.split())


COMMUNITIES = (
    Community(
        56,
        _list(
            "Johannes/Hans Hendrik/Henk Cornelis/Kees Pieter/Piet Jeroen Dennis Marco Robert/Rob Wouter Sander Tim"
            " Alexander/Lex Thomas/Tom Daan Lucas Sem Bram Thijs Ruben Stijn Mees Jesse Niels Bas"
        ),
        _list(
            "Maria/Ria Johanna/Joke Elisabeth/Els Wilhelmina/Wil Margaretha/Greet Marieke Saskia Linda Wendy Manon"
            " Sanne Femke Lotte Emma Julia Tess Sophie Eva Anna Fleur Noor Lieke Roos Charlotte/Lotte"
        ),
        _list(
            "de|Vries van_den|Berg van|Dijk Bakker Visser Smit de|Boer Mulder van_der|Meer Dekker Brouwer de|Wit"
            " Dijkstra Kuipers Hoekstra van|Loon Schouten van_de|Ven Postma Verhoeven in_'t|Veld ter|Horst Timmer"
            " Kloosterman Rietveld van_der|Kooij Wagenaar Boersma Goossens van|Leeuwen Hendriks Koster Willems"
            " van|Vliet Huisman Kramer Veenstra Zijlstra Scholten van_den|Brink Groeneveld Molenaar de|Ruiter"
            " Hofman Sanders Wolters Evers van_der|Laan Bosman Gerritsen Driessen Roelofs ten|Have Nijhuis Lubbers"
            " van_'t|Hof Hoogendoorn Pronk Kamphuis Oosterhof van|Wijngaarden Terpstra Blokland de|Rooij Steenbergen"
            " Vermaas Claassen Bouwman op_den|Kamp Zandstra Kuijpers Leijten"
        ),
    ),
    Community(
        8,
        _list("Mehmet/Memo Mustafa Ahmet Hüseyin Murat Emre Kerem Yusuf Ömer Burak"),
        _list("Fatma Ayşe Emine Zeynep Elif Esra Özlem Derya Yasemin Defne"),
        _list("Yılmaz Kaya Demir Çelik Şahin Öztürk Aydın Arslan Doğan Korkmaz"),
        language="Turks",
    ),
    Community(
        9,
        _list("Mohammed/Mo Youssef Hassan Rachid Bilal Hamza Ayoub Karim Ilias Soufiane"),
        _list("Fatima Khadija/Dija Naima Samira Malika Hanane Loubna Imane Nadia Salma"),
        _list("El_Amrani El_Idrissi Bouzid Ben_Ali Azzouzi Chaoui El_Mansouri Haddouchi Ouahbi Filali"),
        language="Marokkaans-Arabisch",
    ),
    Community(
        7,
        _list("Anand Rajesh Clyde Romano Winston Marlon Glenn Ravi Sheldon Iwan"),
        _list("Sharda Indra Cheryl Kavita Muriël Shanti Roshni Melanie Chantelle Shirley"),
        _list("Ramdin Soekhoe Mahabier Jagesar Kanhai Ganpat Doerga Pinas Kromosoeto Vreden"),
    ),
    Community(
        6,
        _list("Krzysztof/Kris Piotr Tomasz/Tomek Marcin Łukasz Jakub Mateusz Rafał"),
        _list("Katarzyna/Kasia Agnieszka/Aga Magdalena Monika Ewa Natalia Zuzanna Beata"),
        _list("Kowalczyk Wiśniewski Zieliński Wójcik Mazurek Nowakowski Grabowski Jabłoński"),
        "Poolse",
        "Pools",
    ),
    Community(
        5,
        _list("Ahmad Khaled Omar Samer Yazan Tarek Mazen Anas"),
        _list("Rania Amal Hanan Huda Lina Maha Rasha Nour"),
        _list("Al_Hariri Al_Masri Haddad Khoury Darwish Al_Najjar Hamoud Saleh"),
        "Syrische",
        "Arabisch",
    ),
    Community(
        3,
        _list("Yonas Dawit Filmon Robel Samuel Tesfay"),
        _list("Selam Rahel Luwam Semhar Helen Winta"),
        _list("Berhane Kidane Mehari Habtom Tesfamariam Ghebre"),
        "Eritrese",
        "Tigrinya",
    ),
    Community(
        3,
        _list("Oleksandr/Sasha Dmytro Andriy Bohdan Taras Maksym"),
        _list("Oksana Olena Kateryna/Katya Iryna Svitlana Sofiya"),
        _list("Shevchenko Kovalenko Bondarenko Melnychuk Savchenko Lysenko"),
        "Oekraïense",
        "Oekraïens",
    ),
    Community(
        4,
        _list("Rignald Jurdion Quincy Gino Raysel Etienne"),
        _list("Sulaika Zuleika Mirella Xiomara Thamara Luisette"),
        _list("Martina Cijntje Felicia Isenia Winklaar Josephia Maduro"),
        language="Papiaments",
    ),
)
STREETS = _list(
    "Voorbeeldstraat Lijsterlaan Wilgenhof Molenpad Havenkade Koperwiekstraat Zonnebloemweg Oude_Veerweg Gasthuislaan"
    " Spoorsingel Kersenboomgaard Ringdijk Weverstraat Leeuwerikplein Vlasakker Schoolpad Turfkade Notarisdreef"
    " Sterrenlaan Beukenerf"
)
