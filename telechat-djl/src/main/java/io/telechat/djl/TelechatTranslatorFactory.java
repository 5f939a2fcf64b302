// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Pair;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.Set;

/** Translators for the types that the package names; found by itself for local checkpoints, or given by {@code optTranslatorFactory}. */
public final class TelechatTranslatorFactory implements TranslatorFactory {
    private static final Map<Pair<Type, Type>, Translator<?, ?>> ALL = Map.of(
            new Pair<>(ChatInput.class, ChatOutput.class), ChatTranslator.whole(),
            new Pair<>(ChatInput.class, ChatStream.class), ChatTranslator.stream(),
            new Pair<>(String.class, String.class), ChatTranslator.text(),
            new Pair<>(NDList.class, NDList.class), new NoopTranslator(null));

    @Override
    public Set<Pair<Type, Type>> getSupportedTypes() {
        return ALL.keySet();
    }

    /** @throws TranslateException if there is none for these types */
    @Override
    @SuppressWarnings("unchecked")
    public <I, O> Translator<I, O> newInstance(Class<I> input, Class<O> output, Model model, Map<String, ?> arguments)
            throws TranslateException {
        Translator<?, ?> translator = ALL.get(new Pair<Type, Type>(input, output));
        if (translator == null) {
            throw new TranslateException(
                    "the engine TeleChat has no translator from %s to %s".formatted(input.getName(), output.getName()));
        }
        return (Translator<I, O>) translator;
    }
}
