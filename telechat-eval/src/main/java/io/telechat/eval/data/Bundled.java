// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.html.Page;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What belongs to benchmarks, but not to their files: it comes with this program. */
public final class Bundled {
    /** Of subjects of MMLU, in the order in which their means are shown. */
    public static final List<String> MMLU_CATEGORIES = List.of("stem", "humanities", "social_sciences", "other");

    private Bundled() {}

    /** A file beside a class. */
    public static JsonNode json(Class<?> beside, String name) {
        return JsonFiles.parse(name, Page.resource(beside, name));
    }

    /** The category of each subject of MMLU. */
    public static Map<String, String> mmluCategories() {
        return table("mmlu_categories.json");
    }

    /** The Chinese name of each subject of CMMLU. */
    public static Map<String, String> cmmluNames() {
        return table("cmmlu_subjects.json");
    }

    private static Map<String, String> table(String name) {
        Map<String, String> table = new LinkedHashMap<>();
        json(Bundled.class, name)
                .properties()
                .forEach(entry -> table.put(entry.getKey(), entry.getValue().textValue()));
        return table;
    }
}
