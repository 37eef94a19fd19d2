namespace Lorikeet.Text;

/// <summary>An argument given by name.</summary>
internal readonly record struct NamedArgument(string Name, object? Value);
