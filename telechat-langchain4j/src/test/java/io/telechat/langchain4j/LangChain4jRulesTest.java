// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.conditions.ArchConditions;
import java.util.Set;

@AnalyzeClasses(packages = "io.telechat.langchain4j", importOptions = ImportOption.DoNotIncludeTests.class)
class LangChain4jRulesTest {
    /** What any application could have written. */
    @ArchTest
    static final ArchRule standsOnTheLibrarysPublicPackages = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "java..",
                    "com.fasterxml..",
                    "org.slf4j..",
                    "dev.langchain4j..",
                    "io.telechat.langchain4j",
                    "io.telechat.core",
                    "io.telechat.core.chat",
                    "io.telechat.core.tensor",
                    "io.telechat.core.tokenizer",
                    "io.telechat.infer",
                    "io.telechat.infer.engine",
                    "io.telechat.infer.generation",
                    "io.telechat.infer.grammar",
                    "io.telechat.infer.tools");

    /** All else may change with every version. */
    private static final Set<String> PUBLIC = Set.of(
            "TelechatChatModel", "TelechatStreamingChatModel", "TelechatEmbeddingModel", "TelechatTokenCountEstimator");

    @ArchTest
    static final ArchRule nothingElseIsPublic = classes()
            .that()
            .arePublic()
            .should(ArchConditions.be(DescribedPredicate.describe(
                    "among what users need",
                    type -> PUBLIC.contains(
                            type.getName().substring(type.getPackageName().length() + 1)))));
}
