import { useNavigate } from '@tanstack/react-router';
import { Input } from 'antd';

interface Props {
  /** The search parameter that it sets. */
  name: string;
  value: string | undefined;
  /** What is searched for, as label and placeholder. */
  label: string;
}

/** Filters a list by a text that the API compares; the text is part of the address. */
export function SearchFilter({ name, value, label }: Props) {
  const navigate = useNavigate();
  const search = (text: string) =>
    navigate({
      to: '.',
      search: (previous) => ({ ...previous, [name]: text.trim() || undefined, cursor: undefined }),
    });
  return (
    <Input.Search
      // An address that changes elsewhere shows in the field.
      key={value ?? ''}
      defaultValue={value}
      aria-label={label}
      placeholder={label}
      allowClear
      onSearch={search}
      style={{ width: 300, maxWidth: '100%' }}
    />
  );
}
