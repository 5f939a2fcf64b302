// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.telechat.core.InvalidRequestException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Compiles a JSON schema (draft 2020-12, the part that restricts one value at a time) to a grammar of the texts that keep to it:
 * properties in the order of the schema, none but those that it names. What restricts and is not done here is refused by name, so
 * that an answer always keeps to what was asked.
 */
public final class JsonSchema {
    private static final int DEEPEST = 64;
    private static final int MOST_NODES = 200_000;

    private static final Set<String> TYPES =
            Set.of("object", "array", "string", "number", "integer", "boolean", "null");
    private final JsonNode root;
    private final JsonGrammar json = new JsonGrammar();
    private final Map<String, Node.Rule> rules = new HashMap<>();
    private int nodes;

    private JsonSchema(JsonNode root) {
        this.root = root;
    }

    /**
     * @param schema an object, or true for any value
     * @throws InvalidRequestException if it is none, or something in it is not done here
     */
    public static Grammar compile(JsonNode schema) {
        return new Grammar(new JsonSchema(schema).value(schema, "#", 0, Node.Return.HERE));
    }

    /**
     * A call of one of several functions: {@code {"name": …, "arguments": …}} between two texts.
     *
     * @param functions schemas of their arguments, by their names
     */
    public static Grammar call(String before, Map<String, JsonNode> functions, String after) {
        Node end = Node.literal(after, Node.Return.HERE);
        List<Node> options = new ArrayList<>();
        functions.forEach((name, schema) -> {
            Node arguments = new JsonSchema(schema).value(schema, "#", 0, Node.literal("}", end));
            Node named = JsonGrammar.constant(TextNode.valueOf(name), Node.literal(", \"arguments\": ", arguments));
            options.add(Node.literal("{\"name\": ", named));
        });
        return new Grammar(Node.literal(before, new Node.Choice(options)));
    }

    /**
     * The schema of a record, whose components are properties that all have to be there: texts, numbers, truth values, enums, lists,
     * maps by names, and other records.
     *
     * @throws IllegalArgumentException if it has components of other types
     */
    public static JsonNode of(Class<? extends Record> type) {
        return new RecordSchema().of(type);
    }

    /** Any JSON object. */
    public static Grammar anyObject() {
        return new Grammar(new JsonGrammar().anyObject(Node.Return.HERE));
    }

    private Node value(JsonNode schema, String where, int depth, Node next) {
        if (depth > DEEPEST) {
            throw ScalarSchema.wrong(where, "more than %d levels deep", DEEPEST);
        }
        if (++nodes > MOST_NODES) {
            throw ScalarSchema.wrong(where, "too large");
        }
        if (schema.isBoolean() && schema.booleanValue()) {
            return json.value(next);
        }
        if (!schema.isObject()) {
            throw ScalarSchema.wrong(where, "must be an object");
        }
        SchemaKeywords.requireKnown(schema, where);
        if (schema.has("$ref")) {
            SchemaKeywords.requireAlone(schema, "$ref", where);
            return reference(schema.get("$ref"), where, depth, next);
        }
        if (schema.has("const")) {
            SchemaKeywords.requireAlone(schema, "const", where, "type");
            return JsonGrammar.constant(schema.get("const"), next);
        }
        if (schema.has("enum")) {
            SchemaKeywords.requireAlone(schema, "enum", where, "type");
            return oneOf(schema.get("enum"), where, next);
        }
        for (String key : List.of("anyOf", "oneOf")) {
            if (schema.has(key)) {
                return alternatives(schema, key, where, depth, next);
            }
        }
        if (schema.has("allOf")) {
            SchemaKeywords.requireAlone(schema, "allOf", where);
            return value(merged(schema, where), where, depth + 1, next);
        }
        return typed(schema, where, depth, next);
    }

    private Node reference(JsonNode reference, String where, int depth, Node next) {
        String path = reference.isTextual() ? reference.textValue() : "";
        if (!path.startsWith("#")) {
            throw ScalarSchema.wrong(where, "$ref must lead into the schema itself (#/...)");
        }
        JsonNode target = path.equals("#") ? root : pointed(path.substring(1));
        if (target.isMissingNode()) {
            throw ScalarSchema.wrong(where, "$ref '%s' leads nowhere", path);
        }
        Node.Rule rule = rules.get(path);
        if (rule == null) {
            rule = new Node.Rule();
            rules.put(path, rule);
            if (target.has("$ref") && target.size() == 1 && target.get("$ref").equals(reference)) {
                throw ScalarSchema.wrong(where, "$ref '%s' leads to itself", path);
            }
            rule.begin(value(target, path, depth + 1, Node.Return.HERE));
        }
        return new Node.Call(rule, next);
    }

    private JsonNode pointed(String pointer) {
        try {
            return root.at(URLDecoder.decode(pointer, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            return MissingNode.getInstance();
        }
    }

    private static Node oneOf(JsonNode values, String where, Node next) {
        if (!values.isArray() || values.isEmpty()) {
            throw ScalarSchema.wrong(where, "enum must be a list of at least one value");
        }
        return new Node.Choice(values.valueStream()
                .map(value -> JsonGrammar.constant(value, next))
                .toList());
    }

    private Node alternatives(JsonNode schema, String key, String where, int depth, Node next) {
        JsonNode all = schema.get(key);
        if (!all.isArray() || all.isEmpty()) {
            throw ScalarSchema.wrong(where, "%s must be a list of at least one schema", key);
        }
        SchemaKeywords.requireAlone(schema, key, where);
        List<Node> options = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            options.add(value(all.get(i), where + "/" + key + "/" + i, depth + 1, next));
        }
        return new Node.Choice(options);
    }

    /** A schema that stands alone in {@code allOf}, as generators write references with a description beside them. */
    private static JsonNode merged(JsonNode schema, String where) {
        JsonNode all = schema.get("allOf");
        if (!all.isArray() || all.size() != 1) {
            throw ScalarSchema.wrong(where, "allOf of several schemas is not supported");
        }
        return all.get(0);
    }

    private Node typed(JsonNode schema, String where, int depth, Node next) {
        JsonNode type = schema.path("type");
        if (type.isMissingNode()) {
            String implied = impliedType(schema);
            return implied.isEmpty() ? json.value(next) : ofType(implied, schema, where, depth, next);
        }
        if (type.isTextual()) {
            return ofType(type.textValue(), schema, where, depth, next);
        }
        if (!(type instanceof ArrayNode types)
                || types.isEmpty()
                || !types.valueStream().allMatch(JsonNode::isTextual)) {
            throw ScalarSchema.wrong(where, "type must be the name of a type, or a list of them");
        }
        return new Node.Choice(types.valueStream()
                .map(t -> ofType(t.textValue(), schema, where, depth, next))
                .toList());
    }

    private static String impliedType(JsonNode schema) {
        Map<String, String> by = new LinkedHashMap<>();
        by.put("properties", "object");
        by.put("required", "object");
        by.put("additionalProperties", "object");
        by.put("items", "array");
        by.put("minProperties", "object");
        by.put("maxProperties", "object");
        by.put("minItems", "array");
        by.put("maxItems", "array");
        by.put("pattern", "string");
        by.put("minLength", "string");
        by.put("maxLength", "string");
        by.put("minimum", "integer");
        by.put("maximum", "integer");
        by.put("exclusiveMinimum", "integer");
        by.put("exclusiveMaximum", "integer");
        return by.entrySet().stream()
                .filter(entry -> schema.has(entry.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse("");
    }

    private Node ofType(String type, JsonNode schema, String where, int depth, Node next) {
        if (!TYPES.contains(type)) {
            throw ScalarSchema.wrong(where, "there is no type '%s'", type);
        }
        return switch (type) {
            case "object" -> object(schema, where, depth, next);
            case "array" -> array(schema, where, depth, next);
            case "string" -> ScalarSchema.string(schema, where, next);
            case "integer" -> ScalarSchema.integer(schema, where, next);
            case "number" -> ScalarSchema.number(schema, where, next);
            case "boolean" -> new Node.Choice(Node.literal("true", next), Node.literal("false", next));
            default -> Node.literal("null", next);
        };
    }

    private Node array(JsonNode schema, String where, int depth, Node next) {
        int least = ScalarSchema.count(schema, "minItems", 0, where);
        int most = ScalarSchema.count(schema, "maxItems", Node.Repeat.UNBOUNDED, where);
        ScalarSchema.requireOrder(least, most, where, "number of items");
        JsonNode items = schema.path("items");
        UnaryOperator<Node> item =
                items.isMissingNode() ? json::value : behind -> value(items, where + "/items", depth + 1, behind);
        return json.array(next, item, least, most);
    }

    private Node object(JsonNode schema, String where, int depth, Node next) {
        JsonNode properties = schema.path("properties");
        JsonNode additional = schema.path("additionalProperties");
        if (!properties.isMissingNode() && !properties.isObject()) {
            throw ScalarSchema.wrong(where, "properties must be an object");
        }
        if (!additional.isMissingNode() && !additional.isBoolean() && !additional.isObject()) {
            throw ScalarSchema.wrong(where, "additionalProperties must be true, false or a schema");
        }
        Map<String, JsonNode> members = new LinkedHashMap<>();
        properties.properties().forEach(entry -> members.put(entry.getKey(), entry.getValue()));
        Set<String> required = required(schema, where);
        for (String name : required) {
            members.putIfAbsent(name, additional.isObject() ? additional : BooleanNode.TRUE);
        }
        if (!members.isEmpty()) {
            if (schema.has("minProperties") || schema.has("maxProperties")) {
                throw ScalarSchema.wrong(where, "a number of properties beside their names is not supported");
            }
            return Node.literal("{", members(new ArrayList<>(members.entrySet()), required, where, depth, next));
        }
        boolean closed = additional.isBoolean() && !additional.booleanValue()
                || additional.isMissingNode() && properties.isObject();
        int least = ScalarSchema.count(schema, "minProperties", 0, where);
        int most = closed ? 0 : ScalarSchema.count(schema, "maxProperties", Node.Repeat.UNBOUNDED, where);
        ScalarSchema.requireOrder(least, most, where, "number of properties");
        UnaryOperator<Node> value = additional.isObject()
                ? behind -> value(additional, where + "/additionalProperties", depth + 1, behind)
                : json::value;
        return json.map(next, value, least, most);
    }

    private static Set<String> required(JsonNode schema, String where) {
        JsonNode names = schema.path("required");
        if (!names.isMissingNode() && (!names.isArray() || !names.valueStream().allMatch(JsonNode::isTextual))) {
            throw ScalarSchema.wrong(where, "required must be a list of names");
        }
        Set<String> required = new LinkedHashSet<>();
        names.forEach(name -> required.add(name.textValue()));
        return required;
    }

    /** The members from the last to the first: each with, and without, others before it. */
    private Node members(
            List<Map.Entry<String, JsonNode>> members, Set<String> required, String where, int depth, Node next) {
        Node end = JsonGrammar.blank(Node.literal("}", next));
        Node first = end;
        Node following = end;
        for (Map.Entry<String, JsonNode> member : members.reversed()) {
            String name = member.getKey();
            Node value = value(member.getValue(), where + "/properties/" + name, depth + 1, following);
            Node named = JsonGrammar.constant(
                    TextNode.valueOf(name), JsonGrammar.blank(Node.literal(":", JsonGrammar.blank(value))));
            Node asFirst = JsonGrammar.blank(named);
            Node asNext = JsonGrammar.blank(Node.literal(",", JsonGrammar.blank(named)));
            boolean must = required.contains(name);
            first = must ? asFirst : Node.optional(asFirst, first);
            following = must ? asNext : Node.optional(asNext, following);
        }
        return first;
    }
}
