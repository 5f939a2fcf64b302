// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

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
}
