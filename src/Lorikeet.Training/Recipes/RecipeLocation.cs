namespace Lorikeet.Training;

/// <summary>Where a value of a recipe was written.</summary>
/// <param name="Source">The recipe's file, or the <c>--set</c> option that gave the value.</param>
/// <param name="Line">1-based line, or 0 for a <c>--set</c> option.</param>
/// <param name="Column">1-based column, or 0.</param>
public readonly record struct RecipeLocation(string Source, int Line, int Column)
{
    /// <summary><c>recipe.yaml:12:3</c>, or the option itself.</summary>
    public override string ToString() => Line == 0 ? Source : string.Create(Invariant, $"{Source}:{Line}:{Column}");
}
