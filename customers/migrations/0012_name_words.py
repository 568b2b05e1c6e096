"""The words of names, as the search compares them."""

from django.db import migrations

# No case, no accents, one form of each letter. Words end at white space and punctuation of any script. An
# apostrophe ends none: O'Neil is `oneil`. In a stored name the words beside it count too, `o` and `neil`, so
# that it is found without as well.
#
# An index is made by it, which has two consequences. It calls nothing but what is PostgreSQL's own, because
# an index is restored without a search path. And it never changes: whoever wants other words adds a function
# of another name and an index by that.
FUNCTION = r"""
CREATE FUNCTION customers_name_words(is_stored boolean, VARIADIC names text[]) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 AS $body$
DECLARE
  folded text := lower(array_to_string(names, ' '));
BEGIN
  IF octet_length(folded) <> length(folded) THEN
    folded := translate(folded, '‘’‛ʹʻʼʽʾʿ′´＇', repeat('''', 12));
    folded := lower(regexp_replace(normalize(folded, NFKD), '[\u0300-\u036f]', '', 'g'));
    folded := translate(folded, 'øłđðħŧıς', 'olddhtiσ');
    folded := replace(replace(replace(replace(folded, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
    folded := regexp_replace(folded, '[\u0080-\u00bf\u2000-\u206f\u3000-\u303f]', ' ', 'g');
  END IF;
  IF folded ~ '[^ a-z0-9]' THEN -- seldom, and what follows takes as long as all the rest
    folded := regexp_replace(translate(folded, '`', ''''), '[\u0001-&(-/:-@[-_{-\u007f]', ' ', 'g');
    IF is_stored AND strpos(folded, '''') > 0 THEN
      folded := replace(folded, '''', '') || ' ' || translate(folded, '''', ' ');
    ELSE
      folded := replace(folded, '''', '');
    END IF;
  END IF;
  IF octet_length(folded) > 2046 THEN -- longer than the longest word that an index takes
    RETURN ARRAY(SELECT left(word, 500) FROM unnest(string_to_array(folded, ' ')) word WHERE word <> '');
  END IF;
  RETURN array_remove(string_to_array(folded, ' '), '');
END $body$
"""

COUNT = """
CREATE FUNCTION customers_words_beginning(words tsvector, beginning text) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$
  SELECT count(*) FROM unnest(tsvector_to_array(words)) word WHERE starts_with(word, beginning)
$body$
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0011_history_as_told")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION customers_name_words"),
        migrations.RunSQL(COUNT, "DROP FUNCTION customers_words_beginning"),
    ]
