// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The schema of a record: its components are properties, all of them required. */
final class RecordSchema {
    private static final Set<Class<?>> INTEGERS = Set.of(
            int.class,
            long.class,
            short.class,
            byte.class,
            Integer.class,
            Long.class,
            Short.class,
            Byte.class,
            BigInteger.class);
    private static final Set<Class<?>> NUMBERS =
            Set.of(double.class, float.class, Double.class, Float.class, BigDecimal.class);

    private final Deque<Class<?>> within = new ArrayDeque<>();

    private static ObjectNode typed(String name) {
        return JsonNodeFactory.instance.objectNode().put("type", name);
    }

    /** @throws IllegalArgumentException if JSON has no such type, or it contains itself */
    ObjectNode of(Type type) {
        if (type instanceof ParameterizedType generic && generic.getRawType() instanceof Class<?> raw) {
            if (Collection.class.isAssignableFrom(raw)) {
                ObjectNode schema = typed("array");
                schema.set("items", of(generic.getActualTypeArguments()[0]));
                return schema;
            }
            if (Map.class.isAssignableFrom(raw) && generic.getActualTypeArguments()[0] == String.class) {
                ObjectNode schema = typed("object");
                schema.set("additionalProperties", of(generic.getActualTypeArguments()[1]));
                return schema;
            }
        }
        if (type instanceof Class<?> plain) {
            return of(plain);
        }
        throw new IllegalArgumentException("there is no JSON schema for " + type);
    }

    private ObjectNode of(Class<?> type) {
        if (type == String.class) {
            return typed("string");
        }
        if (type == boolean.class || type == Boolean.class) {
            return typed("boolean");
        }
        if (INTEGERS.contains(type)) {
            return bounded(type);
        }
        if (NUMBERS.contains(type)) {
            return typed("number");
        }
        if (type.isArray()) {
            ObjectNode schema = typed("array");
            schema.set("items", of(type.getComponentType()));
            return schema;
        }
        if (type.isEnum()) {
            ObjectNode schema = JsonNodeFactory.instance.objectNode();
            ArrayNode names = schema.putArray("enum");
            List.of(type.getEnumConstants()).forEach(one -> names.add(((Enum<?>) one).name()));
            return schema;
        }
        if (type.isRecord() && !within.contains(type)) {
            return record(type);
        }
        throw new IllegalArgumentException("there is no JSON schema for " + type.getTypeName());
    }

    /** No more than the type holds. */
    private static ObjectNode bounded(Class<?> type) {
        ObjectNode schema = typed("integer");
        if (type == int.class || type == Integer.class) {
            schema.put("minimum", Integer.MIN_VALUE).put("maximum", Integer.MAX_VALUE);
        } else if (type == short.class || type == Short.class) {
            schema.put("minimum", Short.MIN_VALUE).put("maximum", Short.MAX_VALUE);
        } else if (type == byte.class || type == Byte.class) {
            schema.put("minimum", Byte.MIN_VALUE).put("maximum", Byte.MAX_VALUE);
        }
        return schema;
    }

    private ObjectNode record(Class<?> type) {
        within.push(type);
        ObjectNode schema = typed("object");
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = schema.putArray("required");
        for (RecordComponent component : type.getRecordComponents()) {
            properties.set(component.getName(), of(component.getGenericType()));
            required.add(component.getName());
        }
        schema.put("additionalProperties", false);
        within.pop();
        return schema;
    }
}
