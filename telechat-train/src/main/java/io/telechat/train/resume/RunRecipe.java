// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.resume;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * What decides on the steps of a run, as a JSON object that is kept in its checkpoints. Values that ask for nothing (absent,
 * false, empty) are left out, so that an option which a later version adds does not make older checkpoints another run's.
 */
public final class RunRecipe {
    private static final ObjectMapper MAPPER =
            new ObjectMapper().setDefaultPropertyInclusion(JsonInclude.Include.NON_DEFAULT);

    private RunRecipe() {}

    /** @param values records of numbers, texts and flags, and such values themselves */
    public static JsonNode of(Map<String, Object> values) {
        try {
            return MAPPER.readTree(MAPPER.writeValueAsString(values)); // numbers of the kinds that reading a file gives
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** The values of one recipe that another has differently, as {@code rate.peak=0.1}. */
    static List<String> differences(JsonNode recipe, JsonNode other) {
        List<String> found = new ArrayList<>();
        add("", recipe, other, found);
        return found;
    }

    private static void add(String path, JsonNode node, JsonNode other, List<String> found) {
        if (!node.isObject() && !other.isObject()) {
            if (!node.equals(other)) {
                found.add("%s=%s".formatted(path, node.isMissingNode() ? "default" : node.asText(node.toString())));
            }
            return;
        }
        TreeSet<String> names = new TreeSet<>();
        node.fieldNames().forEachRemaining(names::add);
        other.fieldNames().forEachRemaining(names::add);
        for (String name : names) {
            add(path.isEmpty() ? name : path + "." + name, node.path(name), other.path(name), found);
        }
    }
}
