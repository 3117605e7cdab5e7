"""The notice's sentences in six languages. Each key is a fact that may hold; ``notice`` chooses.

A sentence may name: {faces}, {points}, {minutes}, {days}, {operator}, {contact}. A test holds
that every language has every sentence, with the same names in it.
"""

from __future__ import annotations

#: Languages in the order of a page, each by its own name.
LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "it": "Italiano",
    "nl": "Nederlands",
}

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "This work has a camera",
        "title_without": "This work has no camera",
        "camera": "It measures who stands before the picture: up to {faces} faces, and in each "
        "{points} points, where eyes, nose, mouth and jaw are. The portraits follow these points.",
        "camera_one": "It measures who stands before the picture: one face, and in it {points} "
        "points, where eyes, nose, mouth and jaw are. The portraits follow these points.",
        "pictures": "The camera’s pictures are not stored, not shown and not passed on. Each takes "
        "the place of the one before.",
        "network": "They come to the computer over the building’s own network.",
        "nobody": "Nobody is recognised. Age, gender and feelings are not computed.",
        "fades": "Your proportions are mixed into the portraits and fade: after about {minutes} "
        "minutes a twentieth is left.",
        "saves": "This mixture is also saved, so that a restart does not interrupt it. It holds no "
        "picture of you.",
        "records": "For maintenance a technician may record the points. Such recordings are "
        "deleted after {days} days. If pictures are ever recorded, a red lamp on the screen says "
        "so.",
        "records_longer": "For maintenance a technician may record the points. If pictures are "
        "ever recorded, a red lamp on the screen says so.",
        "nothing": "Nothing of you is kept.",
        "counts": "How many visits there are each day is counted, nothing else.",
        "watched": "Staff can look at the picture on the screen from another place, never at the "
        "camera’s.",
        "aside": "If you do not want to take part, stay out of the space before the picture.",
        "made": "The faces in the picture are made by a computer. They are no real people.",
        "without": "Nobody is seen or measured. Nothing is kept.",
        "operator": "Responsible: {operator}",
        "contact": "Questions: {contact}",
        "more": "More about it",
        "dots": "This is all that the computer keeps of a face, for as long as it sees it.",
    },
    "de": {
        "title": "Dieses Werk hat eine Kamera",
        "title_without": "Dieses Werk hat keine Kamera",
        "camera": "Sie erfasst, wer vor dem Bild steht: bis zu {faces} Gesichter und in jedem "
        "{points} Punkte, wo Augen, Nase, Mund und Kinn sind. Die Porträts folgen diesen Punkten.",
        "camera_one": "Sie erfasst, wer vor dem Bild steht: ein Gesicht und darin {points} "
        "Punkte, wo Augen, Nase, Mund und Kinn sind. Die Porträts folgen diesen Punkten.",
        "pictures": "Die Bilder der Kamera werden nicht gespeichert, nicht gezeigt und nicht "
        "weitergegeben. Jedes tritt an die Stelle des vorigen.",
        "network": "Sie gelangen über das hauseigene Netz zum Rechner.",
        "nobody": "Niemand wird wiedererkannt. Alter, Geschlecht und Gefühle werden nicht "
        "berechnet.",
        "fades": "Ihre Proportionen mischen sich in die Porträts und verblassen: Nach etwa "
        "{minutes} Minuten ist noch ein Zwanzigstel da.",
        "saves": "Diese Mischung wird auch gespeichert, damit ein Neustart sie nicht unterbricht. "
        "Sie enthält kein Bild von Ihnen.",
        "records": "Zur Wartung kann die Technik die Punkte aufzeichnen. Solche Aufzeichnungen "
        "werden nach {days} Tagen gelöscht. Sollten je Bilder aufgezeichnet werden, zeigt das "
        "eine rote Lampe auf dem Bildschirm.",
        "records_longer": "Zur Wartung kann die Technik die Punkte aufzeichnen. Sollten je Bilder "
        "aufgezeichnet werden, zeigt das eine rote Lampe auf dem Bildschirm.",
        "nothing": "Von Ihnen wird nichts aufbewahrt.",
        "counts": "Gezählt wird, wie viele Besuche es an einem Tag gibt, sonst nichts.",
        "watched": "Das Personal kann das Bild auf dem Bildschirm von anderswo sehen, nie das der "
        "Kamera.",
        "aside": "Wenn Sie nicht teilnehmen möchten, bleiben Sie bitte außerhalb des Bereichs vor "
        "dem Bild.",
        "made": "Die Gesichter im Bild sind vom Computer erzeugt. Es sind keine wirklichen "
        "Menschen.",
        "without": "Niemand wird gesehen oder vermessen. Nichts wird aufbewahrt.",
        "operator": "Verantwortlich: {operator}",
        "contact": "Fragen: {contact}",
        "more": "Mehr darüber",
        "dots": "Das ist alles, was der Rechner von einem Gesicht behält, solange er es sieht.",
    },
    "fr": {
        "title": "Cette œuvre a une caméra",
        "title_without": "Cette œuvre n’a pas de caméra",
        "camera": "Elle mesure qui se tient devant l’image : jusqu’à {faces} visages, et dans "
        "chacun {points} points, là où sont les yeux, le nez, la bouche et la mâchoire. Les "
        "portraits suivent ces points.",
        "camera_one": "Elle mesure qui se tient devant l’image : un visage, et en lui {points} "
        "points, là où sont les yeux, le nez, la bouche et la mâchoire. Les portraits suivent ces "
        "points.",
        "pictures": "Les images de la caméra ne sont ni enregistrées, ni montrées, ni transmises. "
        "Chacune remplace la précédente.",
        "network": "Elles parviennent à l’ordinateur par le réseau interne du bâtiment.",
        "nobody": "Personne n’est reconnu. Ni l’âge, ni le genre, ni les émotions ne sont "
        "calculés.",
        "fades": "Vos proportions se mêlent aux portraits et s’estompent : après environ "
        "{minutes} minutes, il en reste un vingtième.",
        "saves": "Ce mélange est aussi enregistré, pour qu’un redémarrage ne l’interrompe pas. Il "
        "ne contient aucune image de vous.",
        "records": "Pour l’entretien, l’équipe technique peut enregistrer les points. Ces "
        "enregistrements sont effacés après {days} jours. Si des images étaient enregistrées, une "
        "lampe rouge à l’écran le signalerait.",
        "records_longer": "Pour l’entretien, l’équipe technique peut enregistrer les points. Si "
        "des images étaient enregistrées, une lampe rouge à l’écran le signalerait.",
        "nothing": "Rien de vous n’est conservé.",
        "counts": "Le nombre de visites par jour est compté, rien d’autre.",
        "watched": "Le personnel peut voir à distance l’image de l’écran, jamais celle de la "
        "caméra.",
        "aside": "Si vous ne souhaitez pas participer, restez en dehors de l’espace devant "
        "l’image.",
        "made": "Les visages de l’image sont produits par un ordinateur. Ce ne sont pas de vraies "
        "personnes.",
        "without": "Personne n’est vu ni mesuré. Rien n’est conservé.",
        "operator": "Responsable : {operator}",
        "contact": "Questions : {contact}",
        "more": "En savoir plus",
        "dots": "C’est tout ce que l’ordinateur garde d’un visage, tant qu’il le voit.",
    },
    "es": {
        "title": "Esta obra tiene una cámara",
        "title_without": "Esta obra no tiene cámara",
        "camera": "Mide a quien está delante de la imagen: hasta {faces} rostros y, en cada uno, "
        "{points} puntos que indican dónde están los ojos, la nariz, la boca y la mandíbula. Los "
        "retratos siguen esos puntos.",
        "camera_one": "Mide a quien está delante de la imagen: un rostro y, en él, {points} puntos "
        "que indican dónde están los ojos, la nariz, la boca y la mandíbula. Los retratos siguen "
        "esos puntos.",
        "pictures": "Las imágenes de la cámara no se guardan, no se muestran y no se transmiten. "
        "Cada una sustituye a la anterior.",
        "network": "Llegan al ordenador por la red propia del edificio.",
        "nobody": "No se reconoce a nadie. No se calculan la edad, el género ni las emociones.",
        "fades": "Sus proporciones se mezclan con los retratos y se desvanecen: tras unos "
        "{minutes} minutos queda una vigésima parte.",
        "saves": "Esta mezcla también se guarda, para que un reinicio no la interrumpa. No "
        "contiene ninguna imagen suya.",
        "records": "Para el mantenimiento, el personal técnico puede grabar los puntos. Esas "
        "grabaciones se borran después de {days} días. Si alguna vez se grabaran imágenes, una luz "
        "roja en la pantalla lo indicaría.",
        "records_longer": "Para el mantenimiento, el personal técnico puede grabar los puntos. Si "
        "alguna vez se grabaran imágenes, una luz roja en la pantalla lo indicaría.",
        "nothing": "No se conserva nada de usted.",
        "counts": "Se cuenta cuántas visitas hay cada día, nada más.",
        "watched": "El personal puede ver desde otro lugar la imagen de la pantalla, nunca la de "
        "la cámara.",
        "aside": "Si no desea participar, permanezca fuera del espacio que hay delante de la "
        "imagen.",
        "made": "Los rostros de la imagen están hechos por un ordenador. No son personas reales.",
        "without": "No se ve ni se mide a nadie. No se conserva nada.",
        "operator": "Responsable: {operator}",
        "contact": "Preguntas: {contact}",
        "more": "Más información",
        "dots": "Esto es todo lo que el ordenador guarda de un rostro, mientras lo ve.",
    },
    "it": {
        "title": "Quest’opera ha una telecamera",
        "title_without": "Quest’opera non ha telecamere",
        "camera": "Misura chi sta davanti all’immagine: fino a {faces} volti e, in ciascuno, "
        "{points} punti che dicono dove sono occhi, naso, bocca e mandibola. I ritratti seguono "
        "questi punti.",
        "camera_one": "Misura chi sta davanti all’immagine: un volto e, in esso, {points} punti "
        "che dicono dove sono occhi, naso, bocca e mandibola. I ritratti seguono questi punti.",
        "pictures": "Le immagini della telecamera non vengono salvate, mostrate né trasmesse. "
        "Ognuna prende il posto della precedente.",
        "network": "Arrivano al computer attraverso la rete interna dell’edificio.",
        "nobody": "Nessuno viene riconosciuto. Età, genere ed emozioni non vengono calcolati.",
        "fades": "Le Sue proporzioni si mescolano ai ritratti e svaniscono: dopo circa {minutes} "
        "minuti ne resta un ventesimo.",
        "saves": "Questa mescolanza viene anche salvata, perché un riavvio non la interrompa. Non "
        "contiene alcuna Sua immagine.",
        "records": "Per la manutenzione i tecnici possono registrare i punti. Queste "
        "registrazioni vengono cancellate dopo {days} giorni. Se mai venissero registrate "
        "immagini, una luce rossa sullo schermo lo segnalerebbe.",
        "records_longer": "Per la manutenzione i tecnici possono registrare i punti. Se mai "
        "venissero registrate immagini, una luce rossa sullo schermo lo segnalerebbe.",
        "nothing": "Di Lei non viene conservato nulla.",
        "counts": "Si conta quante visite ci sono ogni giorno, nient’altro.",
        "watched": "Il personale può vedere da un altro luogo l’immagine dello schermo, mai quella "
        "della telecamera.",
        "aside": "Se non desidera partecipare, resti fuori dallo spazio davanti all’immagine.",
        "made": "I volti nell’immagine sono creati da un computer. Non sono persone reali.",
        "without": "Nessuno viene visto o misurato. Nulla viene conservato.",
        "operator": "Responsabile: {operator}",
        "contact": "Domande: {contact}",
        "more": "Per saperne di più",
        "dots": "Questo è tutto ciò che il computer conserva di un volto, finché lo vede.",
    },
    "nl": {
        "title": "Dit werk heeft een camera",
        "title_without": "Dit werk heeft geen camera",
        "camera": "Die meet wie er voor het beeld staat: hoogstens {faces} gezichten en in elk "
        "{points} punten, waar ogen, neus, mond en kaak zijn. De portretten volgen die punten.",
        "camera_one": "Die meet wie er voor het beeld staat: één gezicht en daarin {points} "
        "punten, waar ogen, neus, mond en kaak zijn. De portretten volgen die punten.",
        "pictures": "De beelden van de camera worden niet bewaard, niet getoond en niet "
        "doorgegeven. Elk beeld neemt de plaats in van het vorige.",
        "network": "Ze komen via het eigen netwerk van het gebouw bij de computer.",
        "nobody": "Niemand wordt herkend. Leeftijd, geslacht en gevoelens worden niet berekend.",
        "fades": "Uw verhoudingen worden in de portretten gemengd en vervagen: na ongeveer "
        "{minutes} minuten is er nog een twintigste over.",
        "saves": "Dit mengsel wordt ook opgeslagen, zodat een herstart het niet onderbreekt. Er "
        "zit geen beeld van u in.",
        "records": "Voor onderhoud kan de techniek de punten opnemen. Zulke opnamen worden na "
        "{days} dagen gewist. Mochten er ooit beelden worden opgenomen, dan meldt een rode lamp "
        "op het scherm dat.",
        "records_longer": "Voor onderhoud kan de techniek de punten opnemen. Mochten er ooit "
        "beelden worden opgenomen, dan meldt een rode lamp op het scherm dat.",
        "nothing": "Van u wordt niets bewaard.",
        "counts": "Geteld wordt hoeveel bezoeken er per dag zijn, verder niets.",
        "watched": "Medewerkers kunnen het beeld op het scherm elders zien, nooit dat van de "
        "camera.",
        "aside": "Wilt u niet meedoen, blijf dan buiten de ruimte voor het beeld.",
        "made": "De gezichten in het beeld zijn door een computer gemaakt. Het zijn geen echte "
        "mensen.",
        "without": "Niemand wordt gezien of gemeten. Niets wordt bewaard.",
        "operator": "Verantwoordelijk: {operator}",
        "contact": "Vragen: {contact}",
        "more": "Meer hierover",
        "dots": "Dit is alles wat de computer van een gezicht bewaart, zolang hij het ziet.",
    },
}
