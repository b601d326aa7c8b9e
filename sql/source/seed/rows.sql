-- A handful of people, products and orders of the last days, so that the first question to a new lake has an answer.
-- Runs in: the source database (PostgreSQL 15), as the owner of the schema public, after the sample's tables were made.
-- Parameters: none.
-- Rerun: changes nothing where any of the tables holds a row.
WITH added_users AS (
    INSERT INTO public.users (name, email, country, bio, created_at, updated_at)
    SELECT
        v.name,
        v.email,
        v.country,
        v.bio,
        NOW() - v.age AS created_at,
        NOW() - v.age AS updated_at
    FROM (
        VALUES
        ('Ada Berg', 'ada.berg@example.com', 'NO', 'Keeps bees', INTERVAL '40 days'),
        ('Bruno Costa', 'bruno.costa@example.com', 'PT', NULL, INTERVAL '35 days'),
        ('Chiara Deri', 'chiara.deri@example.org', 'IT', 'Repairs clocks', INTERVAL '30 days'),
        ('Dwight Ebanks', 'dwight.ebanks@example.net', 'JM', NULL, INTERVAL '12 days'),
        ('Elif Fidan', 'elif.fidan@example.com', 'TR', 'Draws maps', INTERVAL '2 days')
    ) AS v (name, email, country, bio, age)
    WHERE NOT EXISTS (SELECT 1 FROM public.users)
    RETURNING id, email
),

added_products AS (
    INSERT INTO public.products (name, price, category, stock, created_at, updated_at)
    SELECT
        v.name,
        v.price,
        v.category,
        v.stock,
        NOW() - INTERVAL '60 days' AS created_at,
        NOW() - INTERVAL '60 days' AS updated_at
    FROM (
        VALUES
        ('Teapot', 24.90, 'Kitchen', 120),
        ('Desk lamp', 59.00, 'Office', 45),
        ('Walking boots', 139.50, 'Outdoors', 30),
        ('Office chair', 249.00, 'Office', 12)
    ) AS v (name, price, category, stock)
    WHERE NOT EXISTS (SELECT 1 FROM public.products)
    RETURNING id, name, price
)

INSERT INTO public.orders (user_id, product_id, quantity, total_amount, status, notes, created_at, updated_at)
SELECT
    u.id AS user_id,
    p.id AS product_id,
    v.quantity,
    v.quantity * p.price AS total_amount,
    v.status,
    v.notes,
    NOW() - v.age AS created_at,
    NOW() - v.age AS updated_at
FROM (
    VALUES
    ('ada.berg@example.com', 'Office chair', 4, 'delivered', NULL, INTERVAL '20 days'),
    ('ada.berg@example.com', 'Teapot', 1, 'delivered', 'A present', INTERVAL '9 days'),
    ('ada.berg@example.com', 'Desk lamp', 2, 'shipped', NULL, INTERVAL '1 day'),
    ('bruno.costa@example.com', 'Walking boots', 1, 'returned', 'Too small', INTERVAL '15 days'),
    ('bruno.costa@example.com', 'Walking boots', 1, 'delivered', NULL, INTERVAL '6 days'),
    ('chiara.deri@example.org', 'Desk lamp', 10, 'paid', 'For the workshop', INTERVAL '3 days'),
    ('chiara.deri@example.org', 'Teapot', 2, 'cancelled', NULL, INTERVAL '3 days'),
    ('dwight.ebanks@example.net', 'Teapot', 1, 'pending', NULL, INTERVAL '2 hours')
) AS v (email, product, quantity, status, notes, age)
INNER JOIN added_users AS u ON v.email = u.email
INNER JOIN added_products AS p ON v.product = p.name
WHERE NOT EXISTS (SELECT 1 FROM public.orders);
