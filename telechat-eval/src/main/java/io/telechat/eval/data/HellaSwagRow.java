// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import io.telechat.core.InvalidInputException;
import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A row of HellaSwag, cleaned as its makers and all harnesses do.
 *
 * @param activity what is done, a colon, and how it is described up to the end in question
 * @param endings four
 * @param right place of the right one
 */
public record HellaSwagRow(String activity, List<String> endings, int right) {
    /** Left over from WikiHow, where part of the texts come from. */
    private static final Pattern BRACKETED = PythonText.regex("\\[.*?\\]");

    private static final int ENDINGS = 4;

    /** @throws InvalidInputException if it is not one */
    public static HellaSwagRow of(JsonRow row) {
        String activity =
                row.text("activity_label") + ": " + row.text("ctx_a") + " " + PythonText.capitalize(row.text("ctx_b"));
        List<String> endings =
                row.texts("endings").stream().map(HellaSwagRow::cleaned).toList();
        int right = row.fields().path("label").asInt(-1);
        if (endings.size() != ENDINGS || right < 0 || right >= ENDINGS) {
            throw new InvalidInputException(
                    "%s: there must be four endings, and \"label\" the place of one of them, from 0", row.place());
        }
        return new HellaSwagRow(cleaned(activity), endings, right);
    }

    private static String cleaned(String text) {
        String titled = PythonText.strip(text).replace(" [title]", ". ");
        return BRACKETED.matcher(titled).replaceAll("").replace("  ", " ");
    }
}
