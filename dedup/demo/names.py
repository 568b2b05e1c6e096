"""Names of people by language, for made-up customers."""

from __future__ import annotations

from typing import NamedTuple


class Language(NamedTuple):
    """`share` is in percent of all people; `region` is the country of the speakers' phones."""

    share: int
    region: str
    time_zone: str
    women: tuple[str, ...]
    men: tuple[str, ...]
    surnames: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


LANGUAGES = (
    Language(
        48,
        "US",
        "America/New_York",
        _words(
            "Ann Mary Linda Susan Karen Lisa Nancy Betty Sandra Ashley Emily Donna Carol Amanda Melissa "
            "Deborah Laura Rebecca Sharon Cynthia Kathleen Amy Angela Anna Ruth Brenda Pamela Nicole "
            "Katherine Samantha Christine Rachel Carolyn Janet Maria Heather Diane Julie Joyce Victoria "
            "Kelly Christina Joan Evelyn Olivia Judith"
        ),
        _words(
            "Paul James Robert John Michael David William Richard Joseph Thomas Charles Daniel Matthew "
            "Anthony Mark Donald Steven Andrew Kenneth Joshua Kevin Brian George Timothy Ronald Jason "
            "Edward Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon "
            "Benjamin Samuel Gregory Frank Raymond"
        ),
        _words(
            "Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson "
            "Martin Lee Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott "
            "Hill Green Adams Baker Nelson Carter Mitchell Roberts Turner Phillips Campbell Parker "
            "Evans Edwards Collins Stewart Morris Murphy Cook Rogers Morgan Cooper Peterson Bailey Reed "
            "Kelly Howard Ward Cox Richardson Wood Watson Brooks Bennett Gray Hughes Price Myers Long "
            "Foster Sanders Ross Powell Sullivan Russell Jenkins Perry Butler Barnes Fisher Henderson "
            "Coleman Simmons Patterson Jordan Reynolds Hamilton Graham O'Brien O'Neill McDonald"
        ),
    ),
    Language(
        12,
        "DE",
        "Europe/Berlin",
        _words(
            "Anna Sabine Monika Jürgen-Maria Käthe Ursula Petra Birgit Gisela Heike Ute Bärbel Zoë Lena "
            "Mia Jana"
        ),
        _words(
            "Jürgen Hans Günther Klaus Wolfgang Björn Jörg Uwe Götz Lukas Jonas Felix Maximilian Stefan Sören"
        ),
        _words(
            "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch "
            "Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann "
            "Lange Weiß Groß Jäger Böhm"
        ),
    ),
    Language(
        9,
        "FR",
        "Europe/Paris",
        _words(
            "Hélène Chloé Zoé Inès Léa Manon Françoise Aurélie Céline Océane Camille Élodie Maëlle Noémie"
        ),
        _words(
            "François André Rémi Loïc Jérôme Mathéo Gaël Benoît Étienne Jean-Luc Cédric Noël Théo Frédéric"
        ),
        _words(
            "Martin Bernard Dubois Lefèvre Moreau Laurent Michel Garcia Bertrand Roux Fournier Girard "
            "Bonnet Dupont Lambert Fontaine Rousseau Müller Lemaître Benoît Guérin Chevalier François "
            "Mercier Legrand Béranger"
        ),
    ),
    Language(
        11,
        "ES",
        "Europe/Madrid",
        _words(
            "María José Lucía Inés Sofía Begoña Ángela Rocío Concepción Nuria Verónica Mónica Belén Iñaka"
        ),
        _words(
            "José Jesús Ángel Iñigo Andrés Raúl Óscar Rubén Álvaro Sebastián Nicolás Joaquín Martín Germán"
        ),
        _words(
            "García Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Jiménez Ruiz "
            "Hernández Díaz Álvarez Muñoz Romero Gutiérrez Núñez Ibáñez Vázquez Domínguez Ramírez "
            "Suárez Ordóñez Peña Cortés"
        ),
    ),
    Language(
        6,
        "PL",
        "Europe/Warsaw",
        _words("Agnieszka Małgorzata Łucja Żaneta Katarzyna Zofia Grażyna Bożena Elżbieta Joanna"),
        _words("Łukasz Paweł Michał Stanisław Wojciech Błażej Grzegorz Krzysztof Mirosław Józef"),
        _words(
            "Nowak Kowalski Wiśniewski Wójcik Kamiński Zieliński Szymański Dąbrowski Kozłowski "
            "Jabłoński Gołąb Żak"
        ),
    ),
    Language(
        4,
        "CZ",
        "Europe/Prague",
        _words("Jiřina Věra Zdeňka Kateřina Šárka Ludmila Božena Růžena Tereza Eliška"),
        _words("Jiří Tomáš Ondřej Vojtěch Matěj Lukáš Zdeněk Bořivoj Štěpán Miloš"),
        _words(
            "Novák Svoboda Novotný Dvořák Černý Procházka Kučera Veselý Horák Němec Pokorný Růžička Šťastný"
        ),
    ),
    Language(
        5,
        "RU",
        "Europe/Moscow",
        _words("Анна Ольга Елена Мария Наталья Татьяна Ирина Светлана Екатерина Юлия"),
        _words("Иван Пётр Алексей Дмитрий Сергей Андрей Николай Михаил Фёдор Юрий"),
        _words("Иванов Смирнов Кузнецов Попов Соколов Лебедев Козлов Новиков Морозов Волков Соловьёв Зайцев"),
    ),
    Language(
        3,
        "GR",
        "Europe/Athens",
        _words("Μαρία Ελένη Αικατερίνη Βασιλική Σοφία"),
        _words("Γιώργος Δημήτρης Κωνσταντίνος Ιωάννης Νικόλαος"),
        _words("Παπαδόπουλος Οικονόμου Γεωργίου Δημητρίου Νικολάου Βασιλείου"),
    ),
    Language(
        2,
        "JP",
        "Asia/Tokyo",
        _words("陽子 恵子 幸子 美咲 さくら"),
        _words("太郎 健一 翔太 大輔 誠"),
        _words("佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村"),
    ),
)
